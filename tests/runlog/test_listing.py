"""Run list, totals and CSV."""

import csv
import io
from datetime import timedelta

import pytest

from attpcdaq.runlog.exports import COLUMNS, csv_lines, guarded, utc
from attpcdaq.runlog.listing import Total, Wanted, duration, matching, totals, with_data
from attpcdaq.runlog.models import Experiment, Measurement, RunFile, RunState
from attpcdaq.runlog.observables import add
from tests.runlog.rows import KIM, NOON, make_experiment, make_run


@pytest.fixture
def experiment(db: None) -> Experiment:
    found = make_experiment()
    make_run(found, 1, title="alpha source", run_class="testing")
    make_run(found, 2, run_class="beam", notes="HV trip", stopped_at=NOON + timedelta(hours=5, seconds=1.5))
    make_run(found, 3, run_class="beam", verdict="CoBo[3] silent")
    make_run(found, 4, run_class="beam", state=RunState.RUNNING, stopped_at=None)
    make_run(make_experiment("other", is_active=False), 9, title="alpha elsewhere")
    return found


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [4, 3, 2, 1]),
        (Wanted(run_class="beam"), [4, 3, 2]),
        (Wanted(state="running"), [4]),
        (Wanted(text="ALPHA"), [1]),
        (Wanted(text="trip"), [2]),
        (Wanted(text="cobo[3]"), [3]),
        (Wanted(text="3"), [3]),
        (Wanted(text="9" * 30), []),
        (Wanted(run_class="beam", state="closed", text="3"), [3]),
    ],
)
def test_runs_are_found_newest_first(experiment: Experiment, wanted: Wanted, numbers: list[int]) -> None:
    assert [run.number for run in matching(experiment, wanted)] == numbers


def test_beam_time_by_class(experiment: Experiment) -> None:
    found = totals(matching(experiment, Wanted()))
    assert found == (Total("Testing", 1, 3600.0), Total("Beam", 3, 7201.5))
    assert totals(matching(experiment, Wanted(run_class="junk"))) == ()


def test_files_are_counted_without_config_files(experiment: Experiment) -> None:
    run = matching(experiment, Wanted())[1]
    for kind, size in (("data", 1 << 40), ("data", 5), ("config", 7)):
        RunFile.objects.create(run=run, kind=kind, node="node-cobo0", owner="x", path=f"/{kind}/{size}", size=size)
    Measurement.objects.create(run=run, observable=add(experiment, KIM, "P", "number", "torr", ""), value="3")
    counted = with_data(matching(experiment, Wanted())).get(pk=run.pk)
    assert (counted.data_files, counted.data_bytes) == (2, (1 << 40) + 5)
    assert _read(experiment)[2]["data [bytes]"] == str((1 << 40) + 5)


def test_duration_needs_both_ends(experiment: Experiment) -> None:
    assert [duration(run) for run in matching(experiment, Wanted())] == [None, 3600.0, 3601.5, 3600.0]


def _read(experiment: Experiment) -> list[dict[str, str]]:
    text = "".join(csv_lines(experiment, matching(experiment, Wanted()).order_by("number")))
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_line_per_run_and_a_column_per_observable(experiment: Experiment) -> None:
    pressure, target = (
        add(experiment, KIM, "Pressure", "number", "torr", ""),
        add(experiment, KIM, "=Target", "text", "", ""),
    )
    run = matching(experiment, Wanted(text="alpha"))[0]
    Measurement.objects.create(run=run, observable=pressure, value="-1e-3")
    Measurement.objects.create(run=run, observable=target, value='=HYPERLINK("x")')
    lines = _read(experiment)
    assert [line["run"] for line in lines] == ["1", "2", "3", "4"]
    assert list(lines[0]) == [*COLUMNS, "Pressure [torr]", "'=Target"]
    assert lines[0]["Pressure [torr]"] == "-1e-3"
    assert lines[0]["'=Target"] == '\'=HYPERLINK("x")'
    assert lines[0]["started [UTC]"] == "2026-11-22T14:00:00.000Z"
    assert lines[1]["duration [s]"] == "3601.5"
    assert (lines[3]["stopped [UTC]"], lines[3]["duration [s]"], lines[3]["data [bytes]"]) == ("", "", "0")


def test_titles_and_notes_with_quotes_and_lines_survive(experiment: Experiment) -> None:
    make_run(experiment, 5, title='a "b", c', notes="one\ntwo;µ")
    assert (_read(experiment)[4]["title"], _read(experiment)[4]["notes"]) == ('a "b", c', "one\ntwo;µ")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_text(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_plain_text_is_left_alone() -> None:
    assert guarded("a=1") == "a=1"
    assert utc(None) == ""
