"""Run list, totals and CSV."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.utils import timezone

from attpcdaq.runlog import run_files
from attpcdaq.runlog.exports import COLUMNS, csv_lines, guarded, utc
from attpcdaq.runlog.listing import (
    SORTS,
    NoSuchRunError,
    Total,
    Wanted,
    by_number,
    duration,
    find_experiment,
    find_run,
    matching,
    totals,
)
from attpcdaq.runlog.models import Experiment, Manifest, Measurement, RunFile, RunState
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
    for number, verdict in ((1, ""), (2, "complete")):
        Manifest.objects.create(run=found.runs.get(number=number), verdict=verdict, asked_at=NOON)
    return found


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_every_run_once(experiment: Experiment, sort: str) -> None:
    assert sorted(run.number for run in matching(experiment, Wanted(sort=sort))) == [1, 2, 3, 4]


def test_days_are_those_of_the_detector(experiment: Experiment) -> None:
    """Run 4 began at 20:00 UTC, which is the next day in Tokyo and the same in Detroit."""
    found = {}
    for zone in ("Asia/Tokyo", "America/Detroit"):
        with timezone.override(zone):
            found[zone] = [run.number for run in matching(experiment, Wanted(since=date(2026, 11, 23)))]
    assert found == {"Asia/Tokyo": [4, 3, 2], "America/Detroit": []}


def test_an_export_begins_with_the_first_run_unless_another_order_was_asked_for(experiment: Experiment) -> None:
    def numbers(wanted: Wanted) -> list[int]:
        return [run.number for run in by_number(matching(experiment, wanted), wanted)]

    assert numbers(Wanted()) == [1, 2, 3, 4]
    assert numbers(Wanted(sort="-duration")) == [2, 3, 1, 4]


class TestFindRun:
    def test_by_name_and_by_the_directory_that_was_its_name(self, experiment: Experiment) -> None:
        Experiment.objects.filter(pk=experiment.pk).update(name="e20009b", directory="e20009")
        assert find_run("e20009b", 2) == find_run("e20009", 2) == experiment.runs.get(number=2)
        assert find_experiment("e20009") == find_experiment("e20009b") == experiment

    def test_a_name_goes_before_a_directory(self, experiment: Experiment) -> None:
        other = Experiment.objects.get(name="other")
        Experiment.objects.filter(pk=other.pk).update(directory="e20009")
        assert find_experiment("e20009") == experiment

    @pytest.mark.parametrize(("name", "number"), [("e20009", 9), ("nothing", 1), ("\0", 1), ("e20009", 10**30)])
    def test_what_is_not_there_is_named(self, experiment: Experiment, name: str, number: int) -> None:
        with pytest.raises(NoSuchRunError, match=f"no run {number} of"):
            find_run(name, number)


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
        (Wanted(text="\u0663"), []),
        (Wanted(run_class="beam", state="closed", text="3"), [3]),
        (Wanted(since=date(2026, 11, 22)), [4, 3, 2, 1]),
        (Wanted(since=date(2026, 11, 23)), []),
        (Wanted(until=date(2026, 11, 21)), []),
        (Wanted(since=date(1, 1, 1), until=date.max), [4, 3, 2, 1]),
        (Wanted(since=date.max), []),
        (Wanted(verdict="complete"), [2]),
        (Wanted(verdict="checking"), [1]),
        (Wanted(sort="run"), [1, 2, 3, 4]),
        (Wanted(sort="start"), [1, 2, 3, 4]),
        (Wanted(sort="-start"), [4, 3, 2, 1]),
        (Wanted(sort="duration"), [3, 1, 2, 4]),
        (Wanted(sort="-duration"), [2, 3, 1, 4]),
        (Wanted(sort="class"), [1, 4, 3, 2]),
        (Wanted(sort="state"), [4, 3, 2, 1]),
        (Wanted(sort="-title"), [1, 4, 3, 2]),
        (Wanted(sort="-problem"), [3, 4, 2, 1]),
        (Wanted(sort="verdict"), [1, 2, 4, 3]),
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
        run_files.note(run.pk, "node-cobo0", "x", kind, [(f"/{kind}/{size}", size)])
    run.refresh_from_db()
    assert (run.data_files, run.data_bytes) == (2, (1 << 40) + 5)
    assert _read(experiment)[2]["data [bytes]"] == str((1 << 40) + 5)
    assert totals(matching(experiment, Wanted(text="3")))[0].bytes == (1 << 40) + 5


def test_the_count_follows_what_becomes_of_planned_files(experiment: Experiment) -> None:
    run = matching(experiment, Wanted())[1]
    rows = [
        RunFile(run=run, kind="data", node="n", owner="x", path=f"/run/{name}", size=10, staging="/s", planned=True)
        for name in "abc"
    ]
    counts = []
    run_files.plan(rows)
    for step in (lambda: run_files.moved(rows[:1], [15]), lambda: run_files.settle(rows[1:], {"/run/b": 7})):
        run.refresh_from_db()
        counts.append((run.data_files, run.data_bytes))
        step()
    run.refresh_from_db()
    assert [*counts, (run.data_files, run.data_bytes)] == [(3, 30), (3, 35), (2, 22)]


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
    assert list(lines[0]) == [*(column.title for column in COLUMNS), "Pressure [torr]", "'=Target"]
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
