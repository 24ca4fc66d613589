"""Errors of the HTTP API: always JSON, always naming the field and what is allowed."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runlog.listing import NoSuchRunError
from attpcdaq.web.api_schemas import BODIES
from attpcdaq.web.bad_days import database_failed, is_of_the_database
from attpcdaq.web.request_ids import request_id_of

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]


class WrongFieldsError(ValueError):
    """Input that fits the document and is wrong all the same: field name -> what is allowed; answered 422."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = fields


class JsonApi(NinjaAPI):
    """An API whose every address answers in JSON, the unknown ones too, and asks nobody to log in by a page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for error, handler in HANDLERS.items():
            self.add_exception_handler(error, handler)

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern) and pattern.name not in ("openapi-view", "api-root"):
                pattern.callback = _in_json(pattern.callback)
        # The root must come first, because what follows it takes every address.
        return [*patterns, re_path(r".+", _in_json(_unknown_address))], app, namespace


def _in_json(view: View) -> View:
    @csrf_exempt
    @login_not_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        allowed = response.headers["Allow"]
        detail = f"{request.method} is not allowed here; use {allowed}."
        return JsonResponse({"detail": detail}, status=response.status_code, headers={"Allow": allowed})

    return wrapped


def _unknown_address(request: HttpRequest) -> HttpResponse:
    detail = f"There is nothing at {request.path}; the addresses are in openapi.json."
    return JsonResponse({"detail": detail}, status=HTTPStatus.NOT_FOUND)


def _unauthorized(request: HttpRequest, error: Any) -> HttpResponse:
    detail = "Send a valid token: Authorization: Bearer TOKEN (manage.py token create NAME)."
    response = JsonResponse({"detail": detail}, status=HTTPStatus.UNAUTHORIZED)
    response.headers["WWW-Authenticate"] = 'Bearer realm="attpcdaq"'
    return response


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    reasons = list(error.reasons)
    return JsonResponse({"detail": " ".join(reasons), "reasons": reasons}, status=HTTPStatus.CONFLICT)


def _no_such_run(request: HttpRequest, error: Any) -> HttpResponse:
    return JsonResponse({"detail": str(error)}, status=HTTPStatus.NOT_FOUND)


def _wrong_command(request: HttpRequest, error: Any) -> HttpResponse:
    return _wrong_input({error.field: str(error).removeprefix(f"{error.field}: ")})


def _wrong_values(request: HttpRequest, error: Any) -> HttpResponse:
    return _wrong_input(error.fields)


def _wrong_fields(request: HttpRequest, error: Any) -> HttpResponse:
    found = ((_field_name(item["loc"]), _message(item)) for item in error.errors)
    return _wrong_input(dict(found))


def _field_name(location: tuple[str | int, ...]) -> str:
    """Without where it came from (body, query, path) and the name of the parameter that holds the body."""
    parts = location[2:] if location[0] == "body" else location[1:]
    return ".".join(map(str, parts)) or str(location[0])  # "body" when it is none of our objects


def _message(item: dict[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        body = BODIES.get(str(item["loc"][1]))
        return f"unknown; allowed are {', '.join(body.model_fields)}." if body else "unknown."
    return f"{item['msg']}."


def _wrong_input(fields: dict[str, str]) -> HttpResponse:
    detail = " ".join(f"{name}: {text}" for name, text in fields.items())
    return JsonResponse({"detail": detail, "fields": fields}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _too_large(request: HttpRequest, error: Any) -> HttpResponse:
    return JsonResponse({"detail": "The body is too large."}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _database_failed(request: HttpRequest, error: Any) -> HttpResponse:
    """What the database has, in words; a statement that was wrong is our fault."""
    return database_failed(request, error) if is_of_the_database(error) else _our_fault(request, error)


def _our_fault(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    detail = f"The DAQ failed to answer; its log says why (request ID {request_id_of(request)})."
    return JsonResponse({"detail": detail}, status=500)


HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    AuthenticationError: _unauthorized,
    CommandRefused: _refused,
    BadCommand: _wrong_command,
    NoSuchRunError: _no_such_run,
    ValidationError: _wrong_fields,
    WrongFieldsError: _wrong_values,
    RequestDataTooBig: _too_large,
    Error: _database_failed,
    Exception: _our_fault,
}
