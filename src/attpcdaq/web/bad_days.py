"""When the database is away, full, locked or not migrated: one plain page (503), JSON for the API, a line in the log.

As middleware it lets nothing through to tables that are not this program's; as handler500 it has the words for whatever
a view or another middleware met.
"""

import logging
import sys
import time
from collections.abc import Callable
from http import HTTPStatus

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.decorators import sync_only_middleware
from django.views.defaults import server_error

from attpcdaq.live import database_troubles, schema
from attpcdaq.runcontrol.troubles.troubles_system import BY_KEY
from attpcdaq.web.request_ids import READING

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponseBase]
# They say themselves what is wrong, or ask the database nothing.
LETS_THROUGH = ("/health/", "/static/", "/api/v1/openapi.json")
RETRY_AFTER = "5"
# Every open page asks again each second for as long as it lasts.
SAID_AGAIN_AFTER = 60.0


class _Said:
    """What this process logged last of a request that only looks, and when (monotonic seconds)."""

    key = ""
    at = 0.0


@sync_only_middleware
def bad_days(get_response: GetResponse) -> GetResponse:
    """Refuses every request while the tables are not those of this program."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(LETS_THROUGH):
            return get_response(request)
        try:
            problem = schema.WATCH.problem()
        except Error as error:
            return database_failed(request, error)
        if problem:
            _log(request, "not-migrated", problem)
            return refusal(request, "not-migrated", problem)
        return get_response(request)

    return answer


def server_failed(request: HttpRequest) -> HttpResponse:
    """handler500: the plain page for an error of the database, the usual one for every other."""
    error = sys.exc_info()[1]
    if isinstance(error, Error) and is_of_the_database(error):
        return database_failed(request, error)
    return server_error(request)


def is_of_the_database(error: Error) -> bool:
    """Whether it has a trouble. A wrong statement of ours is none, nor is a name in it that no migration makes."""
    trouble = database_troubles.recognise(error)
    if trouble is None or trouble.key != "not-migrated":
        return trouble is not None
    schema.WATCH.doubt()
    try:
        return bool(schema.WATCH.problem())
    except Error:
        return True


def database_failed(request: HttpRequest, error: Error) -> HttpResponse:
    """What `error` means, as a page or as JSON (503)."""
    trouble = database_troubles.note(error)
    if not connection.in_atomic_block:
        connection.close()
    first_line = str(error).strip().partition("\n")[0]
    _log(request, trouble.key, f"{trouble.text} ({first_line})")
    return refusal(request, trouble.key, trouble.text)


def _log(request: HttpRequest, key: str, text: str) -> None:
    """A line for each request that would have changed something; for those that look one a minute."""
    if request.method in READING:
        now = time.monotonic()
        if key == _Said.key and now - _Said.at < SAID_AGAIN_AFTER:
            return
        _Said.key, _Said.at = key, now
    logger.error("%s %s: %s", request.method, request.path, text)


def refusal(request: HttpRequest, key: str, text: str) -> HttpResponse:
    """503, which says what is wrong and what to do, without asking the database anything."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"detail": text}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    else:
        context = {"trouble": BY_KEY[key], "text": text, "looks": request.method in ("GET", "HEAD")}
        response = HttpResponse(render_to_string("503.html", context), status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = RETRY_AFTER
    response.headers["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log it again, with a traceback
    return response
