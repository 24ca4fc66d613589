"""Who is asking: a bearer token, or for reading the session of a logged-in browser."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer, SessionAuth

from attpcdaq.web import tokens


class BearerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`; the request is then that of the token's user."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        found = tokens.find(token.strip(), timezone.now())
        if found is None:
            return None
        request.api_token = found.name  # type: ignore[attr-defined]  # for requester_of
        return found.user


TOKEN = BearerToken()
READ = [TOKEN, SessionAuth()]


def requester(request: HttpRequest) -> User:
    """The user whose token or session was accepted."""
    return cast(User, request.auth)  # type: ignore[attr-defined]  # set by ninja after authentication
