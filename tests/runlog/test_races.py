"""Two people at the same moment."""

import pytest

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.setup_changes import (
    SetupBusyError,
    activate_experiment,
    create_experiment,
    load,
    rename_experiment,
)
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog import experiments
from attpcdaq.runlog.experiments import ExperimentRefusedError
from attpcdaq.runlog.models import Experiment, Observable, Run, RunState
from attpcdaq.runlog.observables import (
    ObservableRefusedError,
    add,
    change,
    copy_from,
    remove,
    reorder,
    retire,
)
from attpcdaq.runlog.sheets import ALL, Edit, SheetRefusedError, save, save_and_fill
from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.models import ECCServer
from tests.racing import race, race_of
from tests.runcontrol.rig import SHIFTER, Rig, make_rig
from tests.runlog.rows import KIM, LEE, make_experiment, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    experiment = make_experiment()
    for name in "abcdefgh":
        add(experiment, KIM, name, "integer", "", "")
    return make_run(experiment, 1)


def key(observable: Observable) -> str:
    return f"observable-{observable.pk}"


def test_writers_of_different_fields_all_win(run: Run) -> None:
    fields = [key(observable) for observable in Observable.objects.all()]
    results = race_of(*[lambda f=field: save(run, {f: Edit("", "1")}, KIM) for field in (*fields, "title", "notes")])
    assert sorted(map(str, results)) == sorted(str((field,)) for field in (*fields, "title", "notes"))
    run.refresh_from_db()
    assert (run.measurements.count(), run.title, run.notes) == (8, "1", "1")


def test_of_writers_of_one_field_one_wins_and_the_others_are_asked(run: Run) -> None:
    field = key(Observable.objects.all()[0])
    results = race_of(*[lambda n=n: save(run, {field: Edit("", str(n))}, KIM) for n in range(8)])
    assert results.count((field,)) == 1
    assert sum(isinstance(result, SheetRefusedError) for result in results) == 7
    assert run.measurements.count() == 1


def test_filling_from_the_previous_run_and_writing_at_once(run: Run) -> None:
    save(run, {key(observable): Edit("", "1") for observable in Observable.objects.all()}, KIM)
    second = make_run(run.experiment, 2)
    field = key(Observable.objects.all()[0])
    results = race_of(
        lambda: save_and_fill(second, {}, (ALL,), LEE).filled,
        lambda: save_and_fill(second, {}, (ALL,), LEE).filled,
        lambda: save(second, {field: Edit("", "2")}, KIM),
    )
    assert all(isinstance(result, tuple | SheetRefusedError) for result in results), results
    assert second.measurements.count() == 8


def test_an_observable_is_not_removed_under_a_writer(run: Run) -> None:
    first, *others = Observable.objects.all()
    results = race_of(
        lambda: remove(first, KIM),
        lambda: save(run, {key(first): Edit("", "1")}, KIM),
        lambda: reorder(run.experiment, [others[0].pk], KIM),
        lambda: reorder(run.experiment, [others[1].pk], KIM),
    )
    assert all(isinstance(result, bool | tuple | SheetRefusedError | None) for result in results), results
    assert Observable.objects.filter(pk=first.pk).exists() == run.measurements.exists()


def test_one_of_two_activations_is_the_last(run: Run) -> None:
    for name in ("second", "third"):
        experiments.create(name, KIM)
    results = race_of(*[lambda n=name: activate_experiment(n, DAQ) for name in ("second", "third") * 4])
    assert all(isinstance(result, Experiment) for result in results), results
    assert Experiment.objects.filter(is_active=True).count() == 1


def test_an_experiment_is_created_once() -> None:
    results = race(6, lambda: experiments.create("e20009", KIM))
    assert sum(isinstance(result, Experiment) for result in results) == 1
    assert sum(isinstance(result, ExperimentRefusedError) for result in results) == 5


@pytest.fixture
def ready() -> Rig:
    rig = make_rig(cobos=1)
    rig.make_ready()
    return rig


def test_a_run_belongs_to_the_experiment_that_is_active(ready: Rig) -> None:
    experiments.create("second", KIM)
    now = ready.time.now()
    results = race_of(
        lambda: activate_experiment("second", DAQ), lambda: commands.request("start", None, SHIFTER, now=now)
    )
    outcome = (Experiment, Command, ExperimentRefusedError, commands.CommandRefused)
    assert all(isinstance(result, outcome) for result in results), results
    run = Run.objects.get(state=RunState.REQUESTED)
    assert run.experiment.is_active


def test_the_setup_does_not_change_under_a_command(ready: Rig) -> None:
    now = ready.time.now()
    results = race_of(
        lambda: load(expand(EasySetup(cobos=2, mutant="none")), SHIFTER),
        lambda: commands.request("breakup", None, SHIFTER, now=now),
    )
    loaded = any(isinstance(result, tuple) for result in results)
    assert loaded != any(isinstance(result, SetupBusyError) for result in results), results
    assert ECCServer.objects.filter(name="ecc-cobo1").exists() == loaded
    known = set(ECCServer.objects.values_list("name", flat=True))
    assert all(
        {step.server_name for step in command.steps.all()} <= known
        for command in Command.objects.filter(state="queued")
    )


def test_one_name_is_given_to_one_observable(run: Run) -> None:
    results = race_of(*[lambda n=name: add(run.experiment, KIM, n, "text", "", "") for name in ("Gas", "gas") * 3])
    assert sum(isinstance(result, Observable) for result in results) == 1, results
    assert sum(isinstance(result, ObservableRefusedError) for result in results) == 5, results


def test_a_type_is_not_changed_under_a_writer(run: Run) -> None:
    first = Observable.objects.all()[0]
    Observable.objects.filter(pk=first.pk).update(value_type="number")
    results = race_of(
        lambda: save(run, {key(first): Edit("", "3.5")}, KIM), lambda: change(first, LEE, value_type="integer")
    )
    first.refresh_from_db()
    written = run.measurements.filter(value="3.5").exists()
    assert (first.value_type == "number") == written, results


def test_a_value_typed_while_it_is_retired_is_kept(run: Run) -> None:
    first = Observable.objects.all()[0]
    results = race_of(lambda: retire(first, LEE), lambda: save(run, {key(first): Edit("", "1")}, KIM))
    assert results == [True, (key(first),)]
    assert (run.measurements.count(), run.sheet_changes.count()) == (1, 1)


def test_it_is_retired_once(run: Run) -> None:
    first = Observable.objects.all()[0]
    assert sorted(map(str, race(4, lambda: retire(first, KIM)))) == ["False", "False", "False", "True"]


def test_it_is_copied_once(run: Run) -> None:
    other = make_experiment("other", is_active=False)
    results = race(4, lambda: copy_from(run.experiment, other, KIM))
    assert sum(len(result[0]) for result in results if isinstance(result, tuple)) == 8, results
    assert other.observables.count() == 8


def test_a_name_is_given_to_one_experiment(run: Run) -> None:
    experiments.create("second", KIM)
    results = race_of(
        lambda: rename_experiment("second", "New", KIM),
        lambda: create_experiment("new", KIM),
        lambda: create_experiment("NEW", KIM),
        lambda: rename_experiment("e20009", "neW", KIM),
    )
    assert sum(isinstance(result, Experiment) for result in results) == 1, results
    assert sum(isinstance(result, ExperimentRefusedError) for result in results) == 3, results


def test_a_run_that_begins_while_its_experiment_is_renamed_has_one_directory(ready: Rig) -> None:
    now, name = ready.time.now(), Experiment.objects.get().name
    results = race_of(
        lambda: rename_experiment(name, "46Ar", KIM), lambda: commands.request("start", None, SHIFTER, now=now)
    )
    assert isinstance(results[1], Command), results
    experiment = Experiment.objects.get()
    renamed = isinstance(results[0], Experiment)
    assert experiment.name == ("46Ar" if renamed else name), results
    assert experiment.directory == experiment.name
    assert Run.objects.get().directory == f"{experiment.name}/run_0001"
