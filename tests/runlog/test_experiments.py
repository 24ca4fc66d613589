"""Experiments: names that may become directories, and one that is active."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.audit.models import Entry
from attpcdaq.runlog.experiments import ExperimentRefusedError, activate, active, check_name, create, rename
from attpcdaq.runlog.lifecycle import request_run
from attpcdaq.runlog.models import Experiment, Run, RunState
from tests.runlog.rows import KIM, NOON, make_experiment, make_run

REFUSED = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "a\x00",
    "\x1b[2J",
    "-a",
    ".hidden",
    "a" * 65,
    "é",
    "a\u202eb",
]


@pytest.mark.parametrize("name", REFUSED)
def test_names_that_are_no_directory_are_refused(name: str, db: None) -> None:
    with pytest.raises(ExperimentRefusedError, match="Use 1 to 64 letters, digits") as caught:
        create(name, KIM)
    assert str(caught.value).isprintable()
    assert not Experiment.objects.exists()


@given(st.text(max_size=80))
def test_a_name_is_either_a_plain_directory_or_refused(name: str) -> None:
    try:
        check_name(name)
    except ExperimentRefusedError:
        return
    assert name.isascii()
    assert 1 <= len(name) <= 64
    assert not {*name} & {*"/\\ \n\x00"}
    assert name[0].isalnum()


@pytest.mark.parametrize("name", ["e20009", "E20009_b.2-x", "7", "a" * 64])
def test_plain_names_are_taken(name: str, db: None) -> None:
    assert create(name, KIM).is_active is False


def test_a_name_is_taken_once_whatever_its_case(db: None) -> None:
    create("e20009", KIM)
    for again in ("e20009", "E20009"):
        with pytest.raises(ExperimentRefusedError, match="There is an experiment e20009 already"):
            create(again, KIM)


def test_only_one_is_active(db: None) -> None:
    for name in ("first", "second"):
        create(name, KIM)
        assert activate(name, KIM).is_active
    assert [row.name for row in Experiment.objects.filter(is_active=True)] == ["second"]
    now = active()
    assert now is not None
    assert now.name == "second"


def test_unknown_experiments_are_named_with_the_known_ones(db: None) -> None:
    create("first", KIM)
    with pytest.raises(ExperimentRefusedError, match="no experiment 'x'; known: first"):
        activate("x", KIM)


@pytest.mark.parametrize("state", [RunState.REQUESTED, RunState.RUNNING, RunState.CLOSING])
def test_no_change_while_a_run_is_open(db: None, state: str) -> None:
    first = make_experiment("first")
    make_run(first, 1, state=state)
    create("second", KIM)
    with pytest.raises(ExperimentRefusedError, match="first run 1 is"):
        activate("second", KIM)
    assert activate("first", KIM) == first


def test_a_new_name_leaves_the_data_where_they_are(db: None) -> None:
    experiment = make_experiment("e20009")
    run = request_run(experiment, title="", run_class="beam", operator=None, configuration={}, now=NOON)
    with pytest.raises(ExperimentRefusedError, match="e20009 run 1 is requested: the experiment can be renamed when"):
        rename("e20009", "46Ar", KIM)
    Run.objects.filter(pk=run.pk).update(state=RunState.FAILED)
    assert rename("e20009", "46Ar", KIM).name == "46Ar"
    experiment.refresh_from_db()
    assert (experiment.name, experiment.data_directory) == ("46Ar", "e20009")
    assert Run.objects.get().directory == "e20009/run_0001"
    second = request_run(experiment, title="", run_class="beam", operator=None, configuration={}, now=NOON)
    assert second.directory == "e20009/run_0002"
    line = Entry.objects.get(what="rename experiment")
    assert (line.subject, line.text) == ("46Ar", "e20009 -> 46Ar; its data stay in e20009/")


def test_before_the_first_run_the_directory_goes_with_the_name(db: None) -> None:
    create("e20009", KIM)
    assert rename("e20009", "46Ar", KIM).data_directory == "46Ar"
    assert create("e20009", KIM).name == "e20009"


@pytest.mark.parametrize("name", ["other", "OTHER", "kept", "Kept"])
def test_no_name_leads_to_two_experiments(db: None, name: str) -> None:
    create("e20009", KIM)
    other = create("other", KIM)
    Experiment.objects.filter(pk=other.pk).update(directory="kept")
    with pytest.raises(ExperimentRefusedError, match="choose another name"):
        rename("e20009", name, KIM)
    with pytest.raises(ExperimentRefusedError, match="choose another name"):
        create(name, KIM)


def test_its_own_name_and_directory_are_free(db: None) -> None:
    experiment = make_experiment("e20009")
    Experiment.objects.filter(pk=experiment.pk).update(directory="e20009")
    for name in ("46Ar", "e20009", "E20009", "E20009"):
        assert rename(Experiment.objects.get().name, name, KIM).data_directory == "e20009"


@pytest.mark.parametrize("name", REFUSED)
def test_a_new_name_must_be_one_that_could_be_a_directory(db: None, name: str) -> None:
    create("e20009", KIM)
    with pytest.raises(ExperimentRefusedError, match="Use 1 to 64 letters, digits"):
        rename("e20009", name, KIM)


def test_what_is_not_there_cannot_be_renamed(db: None) -> None:
    with pytest.raises(ExperimentRefusedError, match="no experiment 'x'; known: none"):
        rename("x", "y", KIM)
