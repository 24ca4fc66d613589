"""Every request that may change something leaves a line in the audit trail, also the one that is refused.

What runcontrol and the run log record themselves, with old and new values, is enough; this adds what is missing:
refusals before they are reached, wrong forms, failures.
"""

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus

from django.db import DatabaseError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.web.request_ids import READING
from attpcdaq.web.requester import requester_of

logger = logging.getLogger(__name__)
REASONS = "attpcdaq.reasons"
TEXT_LENGTH = 2000

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def because(request: HttpRequest, reasons: Iterable[str]) -> None:
    """Why the request is refused, for its line in the audit trail."""
    request.META[REASONS] = " ".join(reasons)


def wrong_fields(request: HttpRequest, form: BaseForm) -> None:
    """A form that was sent and not accepted: what is wrong goes into the audit trail."""
    if form.is_bound and not form.is_valid():
        because(request, [f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()])


@sync_only_middleware
def audited(get_response: GetResponse) -> GetResponse:
    """Records what nobody else recorded while the request was answered."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.method in READING:
            return get_response(request)
        with trail.watching() as written:
            response = get_response(request)
        try:
            if not trail.stands(written):
                _record(request, response)
        except DatabaseError as error:
            logger.error("%s %s is missing in the audit trail: %s", request.method, request.path, error)
        return response

    return answer


def _record(request: HttpRequest, response: HttpResponseBase) -> None:
    match = request.resolver_match
    by = requester_of(request)
    if match is None and not by.name:
        return  # a stranger who tries addresses
    reasons = str(request.META.get(REASONS, ""))
    outcome, text = (Outcome.REFUSED, reasons) if reasons else _outcome(by.name, response)
    what = (match and (match.kwargs.get("action") or match.url_name)) or "unknown address"
    text = (_said(response) or text)[:TEXT_LENGTH]
    trail.record(by, str(what).replace("-", " "), outcome, subject=f"{request.method} {request.path}", text=text)


def _outcome(name: str, response: HttpResponseBase) -> tuple[str, str]:
    status = response.status_code
    phrase = f"{status} {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else str(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.FAILED, phrase
    if status >= HTTPStatus.BAD_REQUEST:
        return Outcome.REFUSED, phrase
    if not name:
        return Outcome.REFUSED, "Nobody was logged in."
    return (Outcome.ACCEPTED if status == HTTPStatus.ACCEPTED else Outcome.DONE), ""


def _said(response: HttpResponseBase) -> str:
    """What an answer of the API gives as the reason."""
    if response.status_code < HTTPStatus.BAD_REQUEST or not isinstance(response, HttpResponse):
        return ""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return ""
    answer = json.loads(response.content)
    return str(answer.get("detail", "")) if isinstance(answer, dict) else ""
