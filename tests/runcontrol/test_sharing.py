"""One reading of the status for everybody who asks in the same moment, and never an old one."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from attpcdaq.live import store
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.seeing.sharing import SECONDS, Shared
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from tests.runcontrol.rig import Rig, make_rig


@dataclass
class Desk:
    """Somebody who asks, a clock that stands still, and how often the status was really read."""

    time: float = 0.0
    reads: int = 0
    shared: Shared = field(init=False)

    def __post_init__(self) -> None:
        self.shared = Shared(self.read, lambda: self.time)

    def read(self, now: datetime) -> Snapshot:
        self.reads += 1
        return replace(snapshot(now), next_run_number=self.reads)

    def ask(self) -> int | None:
        """The number of the reading that was answered with."""
        return self.shared.get().next_run_number


@pytest.mark.django_db(transaction=True)
class TestShared:
    @pytest.fixture
    def desk(self) -> Desk:
        make_rig()
        return Desk()

    def test_the_same_until_something_changes(self, desk: Desk) -> None:
        assert [desk.ask(), desk.ask()] == [1, 1]
        store.add_event("setup", "something changed")
        assert [desk.ask(), desk.ask()] == [2, 2]

    def test_an_event_that_was_committed_late_counts_too(self, desk: Desk) -> None:
        """Its id was given out before, so the newest id does not tell of it."""
        late = Event.objects.first()
        store.add_event("setup", "the newest")
        Event.objects.filter(pk=late.pk).delete()
        assert desk.ask() == 1
        late.save(force_insert=True)
        assert desk.ask() == 2

    def test_it_grows_old(self, desk: Desk) -> None:
        assert desk.ask() == 1
        desk.time = SECONDS
        assert desk.ask() == 1
        desk.time += 0.01
        assert desk.ask() == 2

    def test_before_anything_ever_happened_it_is_read_anew(self, desk: Desk) -> None:
        Event.objects.all().delete()
        assert [desk.ask(), desk.ask()] == [1, 2]


def test_within_a_transaction_it_is_read_anew(rig: Rig) -> None:
    desk = Desk()
    assert [desk.ask(), desk.ask()] == [1, 2]
