"""How workers hold on to their broker, and what they leave out."""

import time

import pytest
from celery.worker.consumer import Consumer

from attpcdaq.config.celery import LastingConnection, app
from attpcdaq.config.celery_worker import DELAYED_DELIVERY, STEPS
from tests.services.processes import free_port


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
