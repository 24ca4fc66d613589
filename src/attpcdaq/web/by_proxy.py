"""How a request came to the proxy before us: what a trusted one says of it, and cookies that fit it."""

from collections.abc import Callable
from http.cookies import Morsel

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware

from attpcdaq.web.requester import is_trusted, peer_of

SCHEME = "HTTP_X_FORWARDED_PROTO"
# A browser takes such a name only with Secure, for this host alone, and only by HTTPS.
BY_HTTPS = "__Host-"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@sync_only_middleware
def by_proxy(get_response: GetResponse) -> GetResponse:
    """Before all that asks `is_secure()`: it is what the browser sees; by HTTPS every cookie is Secure and named apart.

    By its own name a log-in by HTTPS and one by HTTP on the same host do not take each other's cookies away: browsers
    tell neither ports nor, once a Secure cookie is there, the two apart.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        _believe_the_scheme(request)
        names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
        if request.is_secure():
            for name in names:
                _take(request, name)
        response = get_response(request)
        if request.is_secure():
            _secure(response, names)
        return response

    return answer


def _believe_the_scheme(request: HttpRequest) -> None:
    """Leave only what a trusted proxy added itself: its last entry."""
    said = str(request.META.pop(SCHEME, "")).rpartition(",")[2].strip()
    if said and is_trusted(peer_of(request)):
        request.META[SCHEME] = said


def _take(request: HttpRequest, name: str) -> None:
    request.COOKIES.pop(name, None)
    if BY_HTTPS + name in request.COOKIES:
        request.COOKIES[name] = request.COOKIES.pop(BY_HTTPS + name)


def _secure(response: HttpResponseBase, names: tuple[str, ...]) -> None:
    for name in list(response.cookies):
        morsel: Morsel[str] = response.cookies[name]
        morsel["secure"] = True
        if name in names:
            del response.cookies[name]
            morsel.set(BY_HTTPS + name, morsel.value, morsel.coded_value)
            response.cookies[BY_HTTPS + name] = morsel
