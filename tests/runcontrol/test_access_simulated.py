"""Ways to a node over real sockets: a run through its HTTP agent, and a log-in by a key that an expert pinned."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from attpcdaq.audit.people import Requester
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.asking import host_keys
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.closing.close_out import close_out
from attpcdaq.runcontrol.doing.host_keys import read
from attpcdaq.runcontrol.seeing.gather import ROUTER_TOO_OLD
from attpcdaq.runcontrol.seeing.host_keys import NodeKeys, of
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import Access
from get_simulator.faults import FaultKind
from tests.runcontrol.simulated import NODE, ROUTER, Simulated

EXPERT = Requester("sam", role="expert")
Make = Callable[..., Simulated]


@pytest.fixture
def make(db: None, tmp_path: Path, settings: Settings) -> Iterator[Make]:
    settings.SSH_KNOWN_HOSTS = None
    made: list[Simulated] = []

    def make_one(access: str) -> Simulated:
        made.append(Simulated(tmp_path, access))
        return made[-1]

    yield make_one
    for one in made:
        one.close()


def take(real: Simulated) -> Run:
    """Data are taken and the run is stopped; it is not yet closed."""
    assert real.do("go_ready").state == "done"
    assert real.do("start").state == "done"
    real.frames_come()
    stopped = real.do("stop")
    assert stopped.state == "done", stopped.message
    return Run.objects.get(state="closing")


def staged(real: Simulated) -> list[Path]:
    return sorted((real.detector.root(NODE) / "staging").glob("*.graw"))


class TestAgent:
    @pytest.fixture
    def real(self, make: Make) -> Simulated:
        return make(Access.AGENT)

    def test_a_run_is_closed_by_it(self, real: Simulated) -> None:
        run = take(real)
        names = [path.name for path in staged(real)]
        assert names
        assert close_out(run.pk, real.outside)
        run.refresh_from_db()
        assert run.state == "closed"
        assert run.verdict == (
            "router-cobo0: its node's agent moved the files, so it is not proven what came of this run's files there."
        )
        assert staged(real) == []
        there = real.detector.root(NODE) / "staging" / run.directory
        assert sorted(path.name for path in there.iterdir()) == names
        real.look()
        assert RouterState.objects.get().files == 0

    def test_lost_answers_are_asked_for_again(self, real: Simulated) -> None:
        run = take(real)
        real.fault(NODE, FaultKind.DROP, times=2, after=True)
        assert close_out(run.pk, real.outside)
        run.refresh_from_db()
        assert run.state == "closed"
        assert "so it is not proven" in run.verdict
        assert run.directory in str(next((real.detector.root(NODE) / "staging").rglob("run_*")))

    def test_its_absent_router_is_a_problem_in_words(self, real: Simulated) -> None:
        real.fault(ROUTER, FaultKind.DIE)
        real.look()
        [seen] = snapshot(timezone.now()).routers
        assert seen.trouble is not None
        assert seen.trouble.key == "agent-problem"
        assert "process dataRouter not found" in seen.problem

    def test_what_it_does_not_tell_of_starts_no_run(self, real: Simulated) -> None:
        assert real.do("go_ready").state == "done"
        real.fault(ROUTER, FaultKind.DIE)
        real.look()
        RouterState.objects.update(seen_at=timezone.now() - ROUTER_TOO_OLD)
        with pytest.raises(CommandRefused, match="router-cobo0"):
            real.do("start")

    def test_its_disk_is_seen(self, real: Simulated) -> None:
        real.look()
        state = RouterState.objects.get()
        assert state.online
        assert state.disk_free is not None
        assert state.disk_total is not None
        assert 0 < state.disk_free <= state.disk_total


class TestHostKey:
    @pytest.fixture
    def real(self, make: Make) -> Simulated:
        """An SSH node of which no key is known."""
        made = make(Access.SSH)
        made.forget_host_keys()
        return made

    def problem(self, real: Simulated) -> str:
        real.look()
        return RouterState.objects.get().problem

    def asked(self, real: Simulated) -> NodeKeys:
        node = host_keys.ask(NODE, EXPERT, timezone.now())
        assert read(node.pk, real.outside)
        found = of(NODE, timezone.now())
        assert found is not None
        return found

    def test_only_what_is_pinned_is_logged_in_to(self, real: Simulated) -> None:
        assert "its host key is not known" in self.problem(real)
        found = self.asked(real)
        assert found.standing == "unknown"
        assert found.shown in self.problem(real)  # it was read, and that trusts nothing
        host_keys.pin(NODE, found.shown, EXPERT, timezone.now())
        assert self.problem(real) == ""
        host_keys.unpin(NODE, found.shown, EXPERT, timezone.now())
        assert "its host key is not known" in self.problem(real)

    def test_a_node_installed_anew_is_refused_until_its_new_key_is_pinned(self, real: Simulated) -> None:
        old = self.asked(real).shown
        host_keys.pin(NODE, old, EXPERT, timezone.now())
        assert self.problem(real) == ""
        real.show_another_key()
        loud = self.problem(real)
        assert "ITS HOST KEY HAS CHANGED" in loud
        found = self.asked(real)
        assert found.standing == "changed"
        assert old in loud
        assert found.shown in loud
        host_keys.pin(NODE, found.shown, EXPERT, timezone.now(), "installed anew")
        assert self.problem(real) == ""
