"""Race conditions, tested by racing: threads with connections of their own, and a random moment at every statement."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import connection

from attpcdaq.audit.models import Entry
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.doing import claims, record, superseding
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runlog.lifecycle import advance
from attpcdaq.runlog.models import OPEN_STATES, Experiment, Run
from get_protocol.state_machine import State
from tests.racing import race, race_of
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

pytestmark = pytest.mark.django_db(transaction=True)
INTERLEAVINGS = 200
BLOCK = 50
LONGEST_PAUSE = 0.004


@pytest.fixture
def ready() -> Rig:
    rig = make_rig(cobos=1)
    rig.time.factor = 200.0
    rig.make_ready()
    return rig


@pytest.mark.parametrize("count", [2, 20])
def test_simultaneous_starts_make_one_run(ready: Rig, count: int) -> None:
    now = ready.time.now()
    results = race(count, lambda: commands.request("start", None, SHIFTER, now=now))
    accepted = [result for result in results if isinstance(result, Command)]
    refused = [result for result in results if isinstance(result, CommandRefused)]
    assert (len(accepted), len(refused)) == (1, count - 1), results
    assert Run.objects.count() == 1
    assert Experiment.objects.get().last_run_number == 1
    assert Entry.objects.filter(what="start", outcome="refused").count() == count - 1


def test_simultaneous_stops_are_one_stop(ready: Rig) -> None:
    ready.do("start")
    now = ready.time.now()
    results = race(8, lambda: commands.request("stop", None, SHIFTER, now=now).pk)
    assert len(set(results)) == 1, results


def test_one_worker_claims_a_command(ready: Rig) -> None:
    command = ready.request("breakup")
    results = race(8, lambda: claims.claim(command.pk, ready.time.now))
    assert [type(result) for result in results if result is not None] == [UUID], results


def test_one_of_many_moves_a_run_on(ready: Rig) -> None:
    ready.do("start")
    run, now = Run.objects.get(), ready.time.now()
    assert race(8, lambda: advance(run.pk, "stopping", now)).count(True) == 1


def test_of_a_call_and_a_stop_one_always_sees_the_other(ready: Rig) -> None:
    """The heart of it, with nothing around: either the call does not leave, or the Stop finds it noted."""
    for seed in range(50):
        start = ready.request("start")
        mine = claims.claim(start.pk, ready.time.now)
        assert mine is not None
        step, now = start.steps.order_by("pk")[0], ready.time.now()
        seen: dict[str, object] = {}

        def call(seed=seed, mine=mine, step=step, now=now, seen=seen) -> None:
            with jitter(seed):
                seen["forbidden"] = record.mark_sent(mine, [step], now)[0]

        def stop(seed=seed, step=step, now=now, seen=seen) -> None:
            with jitter(-seed - 1):
                commands.request("stop", None, SHIFTER, now=now)
                seen["noted"] = record.outstanding(Step(ecc_server_id=step.ecc_server_id)).exists()

        together(call, stop)
        assert seen["forbidden"] or seen["noted"], (seed, seen)
        assert superseding.stop_came(start)
        start_anew(ready)


@pytest.mark.parametrize("first", range(0, INTERLEAVINGS, BLOCK))
def test_a_stop_and_a_start_never_leave_a_board_running_without_an_open_run(ready: Rig, first: int) -> None:
    ends: set[str] = set()
    for seed in range(first, first + BLOCK):
        now = ready.time.now()
        start = ready.request("start") if seed % 4 else None

        def take(seed=seed, start=start, now=now) -> None:
            with jitter(seed), refusals_are_fine():
                asked = start or commands.request("start", None, SHIFTER, now=now)
                execute(asked.pk, lambda: jittered(ready, seed))

        def stop(seed=seed, now=now) -> None:
            chance = random.Random(seed)
            time.sleep(chance.random() * LONGEST_PAUSE * 20)
            with jitter(-seed - 1):
                asked = commands.request("stop", None, SHIFTER, now=now)
                execute(asked.pk, lambda: jittered(ready, seed + INTERLEAVINGS))

        together(take, stop)
        run = Run.objects.first()
        boards = set(ready.states().values())
        is_open = run is not None and run.state in OPEN_STATES
        assert boards == {"READY"} or is_open, (seed, ready.states(), run and run.state)
        assert not Step.objects.filter(state="sent").exists(), seed
        brought_to_an_end(ready)
        run = Run.objects.first()
        state = run.state if run is not None else "none"
        assert (ready.states() == dict.fromkeys(ready.states(), "RUNNING")) == (state == "running"), (seed, state)
        assert state in ("none", "failed", "closing", "closed", "running"), seed
        ends.add(state)
        start_anew(ready)
    # Otherwise nothing raced: both a Start that was never sent and one that was under way must have been met.
    assert ends >= {"failed", "closing"}, ends


@contextmanager
def jitter(seed: int) -> Iterator[None]:
    """Let every statement of this thread's connection wait for a random moment."""
    chance = random.Random(seed)

    def wait(run: Callable[..., object], *statement: object) -> object:
        time.sleep(chance.random() ** 4 * LONGEST_PAUSE)
        return run(*statement)

    with connection.execute_wrapper(wait):
        yield


def jittered(rig: Rig, seed: int) -> Outside:
    """The rig's outside, in a network where every call takes a random moment to arrive and to be answered."""
    outside, chance = rig.outside(), random.Random(seed)
    ecc = Slow(outside.ecc, chance)
    return Outside(ecc, outside.nodes, outside.now, rig.time.sleep, outside.monotonic)


class Slow:
    """An EccPort with random delays around another one."""

    def __init__(self, ecc, chance: random.Random) -> None:
        self._ecc, self._chance = ecc, chance

    async def get_state(self, server, timeout):
        return await self._ecc.get_state(server, timeout)

    async def transition(self, *call):
        await asyncio.sleep(self._chance.random() * LONGEST_PAUSE)
        reply = await self._ecc.transition(*call)
        await asyncio.sleep(self._chance.random() * LONGEST_PAUSE)
        return reply

    async def close(self) -> None:
        await self._ecc.close()


@contextmanager
def refusals_are_fine() -> Iterator[None]:
    try:
        yield
    except CommandRefused:
        return


def together(*works: Callable[[], None]) -> None:
    """At the same moment; what one raises is raised."""
    for result in race_of(*works):
        if isinstance(result, Exception):
            raise result


def brought_to_an_end(rig: Rig) -> None:
    """What the monitor does until nobody is at work and no run is on its way."""
    for _ in range(60):
        if not Run.objects.filter(state__in=("requested", "starting", "stopping")).exists():
            return
        rig.sweep(0.5, lambda pk: execute(pk, rig.outside))


def start_anew(rig: Rig) -> None:
    """All boards Ready, nothing open, nothing at work."""
    Command.objects.all().update(state="done")
    Step.objects.all().update(state="confirmed")
    Run.objects.all().update(state="closed")
    for server in rig.ecc.servers.values():
        server.state = State.READY
    rig.look()
