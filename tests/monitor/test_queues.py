"""What the monitor is told by the broker: how many messages wait, and that nobody answers."""

from collections.abc import Iterator

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from attpcdaq.config.celery import CONTROL, FILES
from attpcdaq.monitor.queues import QueueWatch
from tests.services.processes import free_port


@pytest.fixture
def control() -> Iterator[SimpleQueue]:
    """The queue of commands of a broker in memory, which has that of files too."""
    with Connection("memory://") as one, one.SimpleQueue(FILES), one.SimpleQueue(CONTROL) as queue:
        yield queue
        queue.clear()


def test_how_many_messages_wait(control: SimpleQueue) -> None:
    watch = QueueWatch(broker=lambda: Connection("memory://"))
    for number in range(3):
        watch.ask()
        assert watch.numbers == {"broker": 1, f"queue.{CONTROL}": number, f"queue.{FILES}": 0}
        control.put({})


def test_a_broker_that_goes_away_and_comes_back(control: SimpleQueue, caplog: pytest.LogCaptureFixture) -> None:
    urls = ["memory://"]
    watch = QueueWatch(broker=lambda: Connection(urls[-1], connect_timeout=1))
    watch.ask()
    assert watch.numbers["broker"] == 1
    urls.append(f"amqp://127.0.0.1:{free_port()}//")
    watch.let_go()
    for _ in range(2):
        watch.ask()
        assert watch.numbers == {"broker": 0}, "what was known of its queues is not known any more"
    urls.pop()
    watch.ask()
    assert watch.numbers["broker"] == 1
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "the broker cannot be reached",
        "the broker is back",
    ]
