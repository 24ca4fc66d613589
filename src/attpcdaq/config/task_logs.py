"""Celery logs as everybody does, and its messages carry the id of the request that led to them (ADR 31)."""

import logging
from logging.config import dictConfig
from typing import Any

from celery import signals
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

HEADER = "request_id"


@signals.celeryd_init.connect
@signals.setup_logging.connect
def leave_it_to_us(**kwargs: Any) -> None:
    """A receiver keeps Celery from setting up loggers of its own; a worker may warn of something before that."""
    from django.conf import settings

    dictConfig(settings.LOGGING)
    logging.captureWarnings(True)


@signals.before_task_publish.connect
def send_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    """Tasks without a command of their own know by it which click they belong to."""
    if request_id := get_contextvars().get("request_id"):
        headers[HEADER] = request_id


@signals.task_prerun.connect
def take_request_id(task: Any, **kwargs: Any) -> None:
    """A thread of the worker keeps nothing from the task before."""
    clear_contextvars()
    if request_id := (task.request.headers or {}).get(HEADER):
        bind_contextvars(request_id=str(request_id))


@signals.task_postrun.connect
def forget_request_id(**kwargs: Any) -> None:
    clear_contextvars()
