"""Race conditions, tested by racing."""

import pytest

from attpcdaq.runcontrol import commands, record
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.lifecycle import advance
from attpcdaq.runlog.models import Experiment, Run
from tests.racing import race
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready() -> Rig:
    rig = make_rig(cobos=1)
    rig.make_ready()
    return rig


@pytest.mark.parametrize("count", [2, 20])
def test_simultaneous_starts_make_one_run(ready: Rig, count: int) -> None:
    now = ready.time.now()
    results = race(count, lambda: commands.request("start", None, SHIFTER, now=now))
    accepted = [result for result in results if isinstance(result, Command)]
    refused = [result for result in results if isinstance(result, commands.CommandRefused)]
    assert (len(accepted), len(refused)) == (1, count - 1), results
    assert Run.objects.count() == 1
    assert Experiment.objects.get().last_run_number == 1


def test_simultaneous_stops_are_one_stop(ready: Rig) -> None:
    ready.do("start")
    now = ready.time.now()
    results = race(8, lambda: commands.request("stop", None, SHIFTER, now=now).pk)
    assert len(set(results)) == 1, results


def test_one_worker_claims_a_command(ready: Rig) -> None:
    command = ready.request("breakup")
    now = ready.time.now()
    assert sorted(map(str, race(8, lambda: record.claim(command.pk, now)))) == ["False"] * 7 + ["True"]


def test_one_of_many_moves_a_run_on(ready: Rig) -> None:
    ready.do("start")
    run, now = Run.objects.get(), ready.time.now()
    assert race(8, lambda: advance(run.pk, "stopping", now)).count(True) == 1
