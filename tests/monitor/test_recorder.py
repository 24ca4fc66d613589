"""What is written and when, and what happens while the database is away."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

import pytest

from attpcdaq.live.lease import LeaseLostError
from attpcdaq.monitor.readings import Batch, Key, Kind, Outcome, Problem, Reading
from attpcdaq.monitor.recorder import Recorder
from attpcdaq.testing.clock import ManualClock
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition

IDLE = StateReply(0, "", State.IDLE, Transition.NONE)
READY = StateReply(0, "", State.READY, Transition.NONE)
ONE, TWO = Key(Kind.ECC, 1), Key(Kind.ECC, 2)


@dataclass
class Shelf:
    """A store that remembers what it was given, as live/store does: nothing changes by the same again."""

    clock: ManualClock
    away: bool = False
    lost: bool = False
    batches: list[Batch] = field(default_factory=list)
    rows: dict[Key, Outcome] = field(default_factory=dict)

    async def write(self, batch: Batch) -> Collection[Key]:
        if self.lost:
            raise LeaseLostError
        if self.away:
            raise ConnectionError("the database is away\n")
        self.batches.append(batch)
        unchanged = [one.key for one in batch.readings if self.rows.get(one.key) == one.outcome]
        self.rows |= {one.key: one.outcome for one in batch.readings}
        return unchanged

    def written(self) -> list[tuple[Key, Outcome]]:
        return [(one.key, one.outcome) for batch in self.batches for one in batch.readings]

    def said_alive(self) -> list[set[Key]]:
        return [set(batch.alive) for batch in self.batches if batch.alive is not None]


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shelf = Shelf(self.clock)
        self.recorder = Recorder(self.shelf.write, self.clock)

    def note(self, key: Key, outcome: Outcome) -> None:
        self.recorder.note(Reading(key, outcome, self.clock.now()))

    async def noting(self, key: Key, outcome: Outcome, seconds: float) -> None:
        """Note the same every half second."""
        for _ in range(round(seconds / 0.5)):
            self.note(key, outcome)
            await self.clock.advance(0.5)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    running = asyncio.create_task(made.recorder.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_change_is_written_at_once_and_the_same_again_not_at_all(desk: Desk) -> None:
    await desk.clock.advance(1.3)
    desk.note(ONE, IDLE)
    await desk.clock.advance(0.06)
    assert desk.shelf.written() == [(ONE, IDLE)]
    await desk.noting(ONE, IDLE, 10.0)
    assert desk.shelf.written() == [(ONE, IDLE)] * 2  # the second told that nothing changed: it is settled
    desk.note(ONE, READY)
    await desk.clock.advance(0.06)
    assert desk.shelf.written()[2:] == [(ONE, READY)]


async def test_once_a_second_it_says_who_answered(desk: Desk) -> None:
    for _ in range(10):
        desk.note(ONE, IDLE)
        desk.note(TWO, Problem("no answer within 2 s"))
        await desk.clock.advance(0.5)
    assert 4 <= len(desk.shelf.said_alive()) <= 6
    assert all(alive == {ONE} for alive in desk.shelf.said_alive()[1:])


async def test_without_anything_to_watch_it_still_says_that_it_lives(desk: Desk) -> None:
    await desk.clock.advance(5.0)
    assert 4 <= len(desk.shelf.said_alive()) <= 6


async def test_an_outage_delays_nobody_loses_nothing_and_is_told_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await desk.noting(ONE, IDLE, 2.0)
    desk.shelf.away = True
    await desk.noting(ONE, READY, 20.0)
    desk.note(TWO, IDLE)
    assert (ONE, READY) not in desk.shelf.written()
    desk.shelf.away = False
    await desk.clock.advance(1.1)
    assert desk.shelf.rows == {ONE: READY, TWO: IDLE}
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "the database is away" in caplog.records[0].message


async def test_a_database_that_does_not_answer_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clock, gate, written = ManualClock(), asyncio.Event(), 0

    async def write(batch: Batch) -> Collection[Key]:
        nonlocal written
        await gate.wait()
        written += len(batch.readings)
        return []

    recorder = Recorder(write, clock)
    running = asyncio.create_task(recorder.run())
    await clock.advance(4.0)
    assert caplog.records == []
    await clock.advance(60.0)
    assert ["no answer for 5 s" in record.message for record in caplog.records] == [True]
    recorder.note(Reading(ONE, READY, clock.now()))
    gate.set()
    await clock.advance(2.0)
    running.cancel()
    assert written == 1
    assert "the database is back" in caplog.records[-1].message


async def test_the_newest_reading_survives_an_outage(desk: Desk) -> None:
    desk.shelf.away = True
    for outcome in (IDLE, READY, Problem("refused"), READY):
        desk.note(ONE, outcome)
        await desk.clock.advance(1.0)
    desk.shelf.away = False
    await desk.clock.advance(1.1)
    assert desk.shelf.written() == [(ONE, READY)]


async def test_who_fell_silent_during_an_outage_is_not_said_to_be_alive(desk: Desk) -> None:
    desk.shelf.away = True
    await desk.noting(ONE, IDLE, 2.0)
    for _ in range(10):
        desk.note(TWO, IDLE)
        await desk.clock.advance(0.5)
    desk.shelf.away = False
    desk.note(TWO, IDLE)
    await desk.clock.advance(1.1)
    assert desk.shelf.said_alive()[-1] == {TWO}
    assert not any(ONE in alive for alive in desk.shelf.said_alive())


async def test_after_a_change_of_the_setup_everything_is_written_again(desk: Desk) -> None:
    await desk.noting(ONE, IDLE, 2.0)
    before = len(desk.shelf.written())
    desk.recorder.forget()
    desk.note(ONE, IDLE)
    await desk.clock.advance(0.1)
    assert desk.shelf.written()[before:] == [(ONE, IDLE)]


async def test_a_reading_that_comes_during_the_writing_is_not_lost() -> None:
    clock, gate = ManualClock(), asyncio.Event()
    written: list[Outcome] = []

    async def write(batch: Batch) -> Collection[Key]:
        written.extend(one.outcome for one in batch.readings)
        await gate.wait()
        return []

    recorder = Recorder(write, clock)
    running = asyncio.create_task(recorder.run())
    recorder.note(Reading(ONE, IDLE, clock.now()))
    await clock.advance(0.1)
    recorder.note(Reading(ONE, READY, clock.now()))
    gate.set()
    await clock.advance(0.1)
    running.cancel()
    assert written == [IDLE, READY]


async def test_text_from_outside_is_made_fit_for_a_database(desk: Desk) -> None:
    desk.note(ONE, Problem("a\x00b\ud800c\nd" + "x" * 5000))
    await desk.clock.advance(0.1)
    outcome = desk.shelf.rows[ONE]
    assert isinstance(outcome, Problem)
    assert outcome.text.startswith("a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\nd")
    assert len(outcome.text) == 2000


async def test_a_lost_lease_is_no_outage_it_ends_the_writing(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    running = asyncio.create_task(desk.recorder.run())
    await desk.noting(ONE, IDLE, 2.0)
    desk.shelf.lost = True
    desk.note(ONE, READY)
    await desk.clock.advance(0.1)
    (result,) = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(result, ExceptionGroup)
    assert result.subgroup(LeaseLostError) is not None
    assert caplog.text == ""
