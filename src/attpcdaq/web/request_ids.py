"""Each request has an id, which follows the click through web, worker and gateway in every log line (ADR 31)."""

import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware
from structlog.contextvars import bound_contextvars

logger = logging.getLogger(__name__)
HEADER = "X-Request-ID"
# No header can set it, and templates can read it: request.META.REQUEST_ID.
KEY = "REQUEST_ID"
ALLOWED = re.compile("[A-Za-z0-9-]{8,64}")
READING = ("GET", "HEAD", "OPTIONS", "TRACE")
SLOW = 1.0
# Why nothing can be shown (bad_days), however often it is asked for.
SAID_ELSEWHERE = HTTPStatus.SERVICE_UNAVAILABLE
# By supervisors, each second while something is wrong.
ASKED_OFTEN = "/health/"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


@sync_only_middleware
def identified(get_response: GetResponse) -> GetResponse:
    """Outermost: takes the id from the header, or makes one, and gives it back with the answer."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if ALLOWED.fullmatch(given) else uuid4().hex
        request.META[KEY] = request_id
        began = time.monotonic()
        with bound_contextvars(request_id=request_id):
            response = get_response(request)
            response.headers[HEADER] = request_id
            tell(request, response, time.monotonic() - began)
        return response

    return answer


def request_id_of(request: HttpRequest) -> str:
    """Its id; empty for one that did not come through the middleware."""
    return str(request.META.get(KEY, ""))


def tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """One line for what changes something, fails or is slow; none for the many that only look."""
    status = response.status_code
    if request.path.startswith(ASKED_OFTEN):
        return
    if request.method in READING and (status == SAID_ELSEWHERE or (status < HTTPStatus.BAD_REQUEST and seconds < SLOW)):
        return
    # The path without its query, in which somebody may have put a password.
    facts = {"method": request.method, "path": request.path, "status": status, "ms": round(1000 * seconds)}
    user = _user(request)
    logger.info("%s %s", request.method, request.path, extra={**facts, "user": user} if user else facts)


def _user(request: HttpRequest) -> str:
    """Who is known already to have sent it; nobody is looked up for a log line."""
    user = getattr(request, "auth", None) or getattr(request, "_cached_user", None)
    return user.get_username() if isinstance(user, AbstractBaseUser) else ""
