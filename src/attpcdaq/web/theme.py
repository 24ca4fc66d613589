"""Light or dark, as each browser is told: kept in a cookie, put on the page by the server so that nothing flashes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from attpcdaq.web.guard import refused

AUTO = "auto"
THEMES = {AUTO: "As the computer", "light": "Light", "dark": "Dark"}
A_YEAR = 60 * 60 * 24 * 365
WRONG = "There is no theme {!r}: it is one of {}."


def theme_of(request: HttpRequest) -> str:
    """One of THEMES; what a cookie says that is none of them counts as not chosen."""
    asked = request.COOKIES.get(settings.THEME_COOKIE_NAME, AUTO)
    return asked if asked in THEMES else AUTO


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Take `theme` for this browser, and go back to `next`."""
    theme, back = request.POST.get("theme", ""), request.POST.get("next", "")
    if theme not in THEMES:
        return refused(request, [WRONG.format(theme[:40], ", ".join(THEMES))], 400)
    # A bare word would be taken for the name of an address.
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    )
    answer = redirect(back if ours else "status")
    # The manual is files: a script of its own reads the cookie there.
    answer.set_cookie(settings.THEME_COOKIE_NAME, theme, max_age=A_YEAR, samesite="Lax", secure=request.is_secure())
    return answer
