"""Passwords that somebody else knows: who logs in with one chooses another before anything else.

That it has to be chosen is kept in the session, so that no request asks the database: sessions end with every change of
the password, a new one-time password among them.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRedirect

from attpcdaq.web.audited import because
from attpcdaq.web.models import OneTimePassword

MUST_CHOOSE = "must_choose_password"
"""The key in the session; templates read it too."""
FIRST = "You logged in with a one-time password: choose one of your own first, on the page /password/."


def logged_in(user: User, session: SessionBase) -> bool:
    """Note in the session whether the password of this log-in was one for once."""
    one_time = OneTimePassword.objects.filter(user=user).exists()
    if one_time:
        session[MUST_CHOOSE] = True
    return one_time


def chosen(user: User, session: SessionBase) -> bool:
    """The user has a password of the own now; whether it replaces a one-time password."""
    session.pop(MUST_CHOOSE, None)
    deleted, _ = OneTimePassword.objects.filter(user=user).delete()
    return bool(deleted)


def must_choose(request: HttpRequest) -> bool:
    """Whether this session may do nothing but choose a password."""
    return bool(request.session.get(MUST_CHOOSE))


class ChooseFirst(MiddlewareMixin):
    """Leads to the password page from wherever a log-in is needed; API, stream and metrics refuse by themselves."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        open_to_all = not getattr(view, "login_required", True)
        at_the_page = request.resolver_match is not None and request.resolver_match.url_name == "password"
        if open_to_all or at_the_page or not request.user.is_authenticated or not must_choose(request):
            return None
        because(request, [FIRST])
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(reverse("password"))
        return redirect("password")
