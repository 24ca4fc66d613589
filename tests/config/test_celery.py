"""How workers hold on to their broker, and what they leave out."""

import os
import subprocess
import sys
import time

import pytest
from celery.worker.consumer import Consumer

from attpcdaq.config.celery import LastingConnection, app
from attpcdaq.config.celery_worker import DELAYED_DELIVERY, STEPS
from tests.services.processes import free_port

PUBLISH = """
import django
django.setup()
from attpcdaq.runcontrol import publish
publish.publish_check_files(4711).result(30)
"""


class GivenUpError(Exception):
    """Raised by the test where a worker would look whether it is to end."""


def test_a_broker_that_is_away_is_asked_for_once_a_second() -> None:
    asked: list[float] = []

    def ask_again(error: Exception, interval: float) -> None:
        asked.append(interval)
        if len(asked) == 3:
            raise GivenUpError

    connection = LastingConnection(f"amqp://guest:guest@127.0.0.1:{free_port()}//", connect_timeout=1)
    began = time.monotonic()
    with pytest.raises(GivenUpError):
        connection.ensure_connection(ask_again, 100)
    assert asked == [1, 1, 1]
    assert time.monotonic() - began < 6


def test_the_application_connects_so() -> None:
    assert isinstance(app.connection_for_read(), LastingConnection)


def test_workers_make_nothing_for_delayed_messages() -> None:
    assert DELAYED_DELIVERY in Consumer.Blueprint.default_steps
    assert [*Consumer.Blueprint.default_steps].index(DELAYED_DELIVERY) == len(STEPS) - 2
    assert DELAYED_DELIVERY not in STEPS


def test_a_message_that_cannot_be_sent_is_one_line_of_log_each_time() -> None:
    settings = {
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "ATTPCDAQ_BROKER_URL": f"amqp://user:hidden@127.0.0.1:{free_port()}//",
    }
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (line,) = done.stderr.splitlines()
    assert line.endswith("could not publish check_files(4711,): [Errno 111] Connection refused")
