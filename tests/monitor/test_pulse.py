"""What a monitor says of itself: that it writes, or stands by, and for how long nothing was written."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attpcdaq.live import beats, lease
from attpcdaq.live.models import MonitorLease
from attpcdaq.monitor.holding import Holding
from attpcdaq.monitor.pulse import STANDS_AFTER, Pulse
from attpcdaq.monitor.queues import QueueWatch
from attpcdaq.monitor.readings import Batch, Key

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def holding(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Holding:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Holding()


def test_one_that_writes_says_its_term(holding: Holding) -> None:
    pulse = Pulse(holding, QueueWatch(), lambda: 0.0)
    assert pulse.numbers() == {}, "nobody knows yet who writes"
    assert holding.ask()
    assert pulse.numbers() == {"monitor": {"term": 1, "unwritten": 0.0, "readings": 0}}


def test_one_that_stands_by_for_another_computer_says_so(holding: Holding) -> None:
    lease.take("another", "elsewhere")
    holding.ask()
    assert Pulse(holding, QueueWatch()).numbers() == {"monitor": {"standby": 1, "readings": 0}}


def test_two_on_one_computer_share_a_row_that_tells_of_the_one_that_writes(holding: Holding) -> None:
    lease.take("another", beats.host_name())
    pulse = Pulse(holding, QueueWatch())
    holding.ask()
    assert pulse.numbers() == {}
    MonitorLease.objects.update(holder="")
    holding.ask()
    assert pulse.numbers()["monitor"]["term"] == 2
    holding.lose()
    assert pulse.numbers() == {}


async def test_how_long_nothing_was_written_begins_with_the_term(holding: Holding) -> None:
    now = [0.0]

    async def write(batch: Batch) -> tuple[Key, ...]:
        return ()

    pulse = Pulse(holding, QueueWatch(), lambda: now[0])
    assert pulse.is_at_work()
    now[0] = STANDS_AFTER
    assert not pulse.is_at_work()
    pulse.turned()
    assert pulse.is_at_work()
    written = pulse.feeling(write)
    now[0] += 7.0
    holding.term, holding.has_own_beat = lease.Term(3, "me"), True
    assert pulse.numbers()["monitor"]["unwritten"] == 7.0
    await written(Batch((), None, NOON))
    assert pulse.numbers()["monitor"]["unwritten"] == 0.0
