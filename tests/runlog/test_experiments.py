"""Experiments: names that may become directories, and one that is active."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.runlog.experiments import ExperimentRefusedError, activate, active, check_name, create
from attpcdaq.runlog.models import Experiment, RunState
from tests.runlog.rows import KIM, make_experiment, make_run

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
