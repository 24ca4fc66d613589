"""Log lines of one shape from every process: text for people, JSON lines for programs (ADR 31).

Everything logs with the standard library; what is bound with structlog.contextvars (request_id, command, run) and the
FIELDS given as `extra` go with the line. Only lines that are written cost anything.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from logging import LogRecord
from typing import Any, Literal

from structlog.contextvars import merge_contextvars
from structlog.processors import format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict

from attpcdaq.config.environment import Environment
from attpcdaq.config.masking import MASK, SECRET_NAME, masker, password_in

Form = Literal["text", "json"]
IDS = ("request_id", "command", "run", "server", "node")
# A line of text begins with them.
SAID = ("method", "path")
OURS = ("level", "logger", "service", "request_id", "command")
FIELDS = ("user", "method", "path", "status", "ms", *IDS)
# Ours say the same and more; theirs would come twice, or with every message.
QUIETER = {
    "asyncssh": "WARNING",
    "axes": "WARNING",
    "celery.worker.strategy": "WARNING",
    "django.request": "ERROR",
}
# They bring handlers of their own, and leave the lines to the root here.
WITH_HANDLERS = ("django", "gunicorn.error")


def logging_settings(environment: Environment) -> dict[str, Any]:
    """For logging.config.dictConfig, as the environment of this process says."""
    urls = (environment.database_url, environment.broker_url)
    secrets = [environment.secret_key.get_secret_value(), *map(password_in, urls)]
    service = environment.service or service_of(sys.argv)
    return one_handler(environment.log_format, environment.log_level, service, secrets)


def one_handler(form: Form, level: str, service: str, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """To stderr, for our loggers and those of Django, Celery and Gunicorn; no line has one of these `secrets` in it."""
    theirs = "INFO" if level == "DEBUG" else level  # at DEBUG, Django tells of each variable that a template misses
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": line_formatter, "form": form, "service": service, "secrets": tuple(secrets)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": least} for name, least in QUIETER.items()}
        | {name: {"level": theirs, "handlers": [], "propagate": True} for name in WITH_HANDLERS},
    }


def line_formatter(form: Form = "text", service: str = "", secrets: Sequence[str] = ()) -> logging.Formatter:
    """Makes a line of a record, with what is bound and without secrets."""
    render = _json if form == "json" else _text
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, ExtraAdder(allow=FIELDS), format_exc_info],
        processors=[_shaped(service), _masked(masker(secrets)), render],
    )


def _shaped(service: str) -> Callable[[Any, str, EventDict], EventDict]:
    """The keys of every line, in their order."""

    def shape(logger: Any, method: str, event: EventDict) -> EventDict:
        record: LogRecord = event.pop("_record")
        event.pop("_from_structlog")
        said, exception = event.pop("event"), event.pop("exception", None)
        head = {"time": record.created, "level": record.levelname, "logger": record.name, "event": said}
        ids = {name: value for name in IDS if (value := event.pop(name, ""))}
        last = {"exception": exception} if exception else {}
        return {**head, "service": service, **ids, **event, **last}

    return shape


def _masked(mask: Callable[[str], str]) -> Callable[[Any, str, EventDict], EventDict]:
    def masked(name: str, value: object) -> object:
        if name in OURS or value is None or isinstance(value, (int, float)):
            return value
        return MASK if SECRET_NAME.search(name) else mask(str(value))

    def mask_all(logger: Any, method: str, event: EventDict) -> EventDict:
        return {name: masked(name, value) for name, value in event.items()}

    return mask_all


def _json(logger: Any, method: str, event: EventDict) -> str:
    moment = datetime.fromtimestamp(event["time"], UTC).isoformat(timespec="milliseconds")
    return json.dumps({**event, "time": moment.replace("+00:00", "Z")}, default=str)


def _text(logger: Any, method: str, event: EventDict) -> str:
    moment = datetime.fromtimestamp(event.pop("time")).astimezone().isoformat(" ", "milliseconds")[:23]
    level, name, said = event.pop("level"), event.pop("logger"), _one_line(event.pop("event"))
    event.pop("service")
    exception = event.pop("exception", "")
    rest = " ".join(f"{key}={_one_line(str(value))}" for key, value in event.items() if key not in SAID)
    line = f"{moment} {level} {name}: {said}" + (f" [{rest}]" if rest else "")
    return "\n".join([line, *map(_one_line, exception.split("\n"))]) if exception else line


def _one_line(text: str) -> str:
    """Nobody forges a line by sending a line feed."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def service_of(argv: Sequence[str]) -> str:
    """What a process started with this command line is called, as in compose.yaml; its verb where it is another one."""
    words = " ".join(argv)
    if "gunicorn" in words:
        return "events" if "asgi" in words else "web"
    if "celery" in words and "worker" in argv:
        queues = next((argv[i + 1] for i, word in enumerate(argv[:-1]) if word in ("-Q", "--queues")), "")
        return {"control": "celery", "files": "celery-files"}.get(queues, "celery")
    return argv[1] if len(argv) > 1 and argv[0].endswith("manage.py") else ""
