"""Boards that run for nobody become a run."""

from datetime import timedelta

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.adopt import adopt
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Experiment, Run, RunState
from attpcdaq.topology.models import ConfigSet, ECCServer
from get_protocol.state_machine import State, Transition
from tests.racing import race, race_of
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

SERVERS = ("ecc-cobo0", "ecc-cobo1", "ecc-mutant")


def set_running(rig: Rig, *names: str) -> None:
    for name in names:
        rig.ecc.servers[name].state = State.RUNNING
    rig.look()


@pytest.fixture
def loose(ready: Rig) -> Rig:
    """All boards Running, and no run."""
    set_running(ready, *SERVERS)
    return ready


def test_it_is_a_run_at_once_and_says_where_it_came_from(loose: Rig) -> None:
    since = loose.time.now()
    loose.time.elapsed += 3
    loose.look()
    run = adopt(SHIFTER, loose.time.now(), "found", "beam")
    assert (run.state, run.adopted, run.number, run.title, run.run_class) == ("running", True, 1, "found", "beam")
    assert run.started_at == since
    assert run.verdict == "Adopted: its boards were found Running while no run was open."
    assert run.configuration["ecc-cobo0"]["boards"] == {"CoBo[0]": "cobo"}
    assert Entry.objects.get(what="adopt").outcome == "done"
    assert loose.do("stop").state == "done"
    assert loose.close(run).state == RunState.CLOSED


def test_who_does_not_run_is_named_and_who_is_excluded_is_recorded(ready: Rig) -> None:
    set_running(ready, "ecc-cobo0")
    exclude("ecc-cobo1", "dead", SHIFTER, ready.time.now())
    run = adopt(SHIFTER, ready.time.now())
    assert run.verdict.endswith("was open. ecc-mutant: was Ready, not Running.")
    assert run.excluded["ecc-cobo1"]["reason"] == "dead"


def test_the_record_says_what_its_boards_have_and_what_goes_on_in_them(loose: Rig) -> None:
    server = ECCServer.objects.select_related("config_set").get(name="ecc-cobo0")
    loaded = server.config_set
    other = ConfigSet.objects.create(
        ecc_server=server, describe=loaded.describe, prepare=loaded.prepare, configure="other"
    )
    ECCServer.objects.filter(pk=server.pk).update(config_set=other)
    mutant = loose.ecc.servers["ecc-mutant"]
    mutant.doing, mutant.done_at = Transition.STOP, 1e9
    loose.look()
    verdict = adopt(SHIFTER, loose.time.now()).verdict
    assert f"ecc-cobo0: Configure was done with {loaded.configure}, but other is chosen" in verdict
    assert "ecc-mutant: Stop was under way in it." in verdict


def test_it_does_not_begin_before_the_run_before_it_ended(loose: Rig) -> None:
    ended = loose.time.now() + timedelta(seconds=2)
    Run.objects.create(
        experiment=Experiment.objects.get(), number=0, state="closed", requested_at=ended, stopped_at=ended
    )
    loose.time.elapsed += 5
    loose.look()
    assert adopt(SHIFTER, loose.time.now()).started_at == ended + timedelta(milliseconds=1)


def test_nothing_to_adopt(ready: Rig) -> None:
    with pytest.raises(CommandRefused, match="No included board is Running"):
        adopt(SHIFTER, ready.time.now())
    assert Entry.objects.get(what="adopt").outcome == "refused"
    assert not Run.objects.exists()


def test_every_reason_is_named(loose: Rig) -> None:
    Experiment.objects.update(is_active=False)
    with pytest.raises(CommandRefused, match=r"monitor is not running.*No experiment is active"):
        adopt(SHIFTER, loose.time.now() + timedelta(seconds=10))


def test_not_while_a_run_is_open(running: Rig) -> None:
    with pytest.raises(CommandRefused, match="Run 1 is open already"):
        adopt(SHIFTER, running.time.now())


def test_not_while_a_command_is_at_work(loose: Rig) -> None:
    loose.request("stop")
    with pytest.raises(CommandRefused, match="Stop is under way"):
        adopt(SHIFTER, loose.time.now())


@pytest.mark.parametrize(("words", "field"), [({"title": "x" * 201}, "title"), ({"run_class": "fun"}, "run_class")])
def test_what_makes_no_sense_is_said(loose: Rig, words: dict[str, str], field: str) -> None:
    with pytest.raises(BadCommand, match=field):
        adopt(SHIFTER, loose.time.now(), **words)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Two people, or two processes, at the same moment."""

    @staticmethod
    def loose_rig() -> Rig:
        rig = make_rig(cobos=1)
        rig.make_ready()
        set_running(rig, "ecc-cobo0", "ecc-mutant")
        return rig

    def test_adopted_by_many_it_is_one_run(self) -> None:
        rig = self.loose_rig()
        now = rig.time.now()
        results = race(6, lambda: adopt(SHIFTER, now))
        assert sum(isinstance(result, Run) for result in results) == 1, results
        assert sum(isinstance(result, CommandRefused) for result in results) == 5, results
        assert Run.objects.get().number == 1

    def test_a_stop_meanwhile_stops_them_whoever_comes_first(self) -> None:
        rig = self.loose_rig()
        now = rig.time.now()
        results = race_of(lambda: adopt(SHIFTER, now), lambda: commands.request("stop", None, SHIFTER, now=now))
        stop = next(result for result in results if isinstance(result, Command))
        assert execute(stop.pk, rig.outside)
        assert set(rig.states().values()) == {"READY"}
        assert not Run.objects.filter(state="running").exists()
        assert all(isinstance(result, Command | Run | CommandRefused) for result in results), results
