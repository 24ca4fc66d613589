"""Who is asking: a bearer token, or for reading the session of a logged-in browser."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from attpcdaq.audit.people import Requester
from attpcdaq.web import tokens
from attpcdaq.web.one_time import FIRST, must_choose
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_expert, may_operate, why_not


class BearerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`; the request is then that of the token's user."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        found = tokens.find(token.strip(), timezone.now())
        if found is None:
            return None
        request.api_token = found.name  # type: ignore[attr-defined]  # for requester_of
        return found.user


class Session(SessionAuth):
    """A logged-in browser, which has chosen a password of its own."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = super().authenticate(request, key)
        if user is not None and must_choose(request):
            raise HttpError(HTTPStatus.FORBIDDEN, FIRST)
        return user


TOKEN = BearerToken()
READ = [TOKEN, Session()]


def requester(request: HttpRequest) -> User:
    """The user whose token or session was accepted."""
    return cast(User, request.auth)  # type: ignore[attr-defined]  # set by ninja after authentication


def operator(request: HttpRequest) -> Requester:
    """Who asks, or 403 when it is nobody who may operate."""
    user = requester(request)
    if not may_operate(user):
        raise HttpError(HTTPStatus.FORBIDDEN, f"The user {user.get_username()} may not operate the detector.")
    return requester_of(request)


def expert(request: HttpRequest) -> Requester:
    """Who asks, or 403 when it is no expert."""
    user = requester(request)
    if not may_expert(user):
        raise HttpError(HTTPStatus.FORBIDDEN, f"The user {user.get_username()} needs the role expert for this.")
    return requester_of(request)


def admin(request: HttpRequest) -> Requester:
    """Who asks, or 403 when it is no administrator."""
    user = requester(request)
    if reason := why_not(user, "admin"):
        raise HttpError(HTTPStatus.FORBIDDEN, reason)
    return requester_of(request)
