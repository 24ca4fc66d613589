"""One reading of the status for everybody who asks in the same moment, and never an old one."""

import time
from dataclasses import replace
from datetime import datetime

import pytest

from attpcdaq.live import store
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.sharing import Shared
from attpcdaq.runcontrol.snapshot import snapshot
from attpcdaq.runcontrol.views import Snapshot
from tests.runcontrol.rig import Rig, make_rig


def made(calls: list[int]) -> Shared:
    def make(now: datetime) -> Snapshot:
        calls.append(len(calls))
        return replace(snapshot(now), next_run_number=len(calls))

    return Shared(make)


@pytest.mark.django_db(transaction=True)
def test_the_same_until_something_changes() -> None:
    rig = make_rig()
    calls: list[int] = []
    shared = made(calls)
    numbers = [shared.get().next_run_number for _ in range(3)]
    assert numbers[1] == numbers[2]
    store.add_event("setup", "something changed", at=rig.time.now())
    assert shared.get().next_run_number == len(calls) > numbers[2]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_was_committed_late_counts_too() -> None:
    """Its id was given out before, so the newest id does not tell of it."""
    make_rig()
    late = Event.objects.first()
    store.add_event("setup", "the newest")
    Event.objects.filter(pk=late.pk).delete()
    calls: list[int] = []
    shared = made(calls)
    shared.get()
    late.save(force_insert=True)
    shared.get()
    assert len(calls) == 2


@pytest.mark.django_db(transaction=True)
def test_it_grows_old() -> None:
    make_rig()
    calls: list[int] = []
    shared = made(calls)
    deadline = time.monotonic() + 10
    while len(calls) < 2 and time.monotonic() < deadline:
        shared.get()
    assert len(calls) == 2


def test_within_a_transaction_it_is_read_anew(rig: Rig) -> None:
    calls: list[int] = []
    shared = made(calls)
    shared.get()
    shared.get()
    assert len(calls) == 2
