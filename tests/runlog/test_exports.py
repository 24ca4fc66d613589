"""What is saved of the run list: JSON and Excel with their types, whoever reads them; CSV is in test_listing."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.runlog import workbook
from attpcdaq.runlog.exports import CHUNK, columns_of, csv_lines, json_parts
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run
from attpcdaq.runlog.observables import add
from tests.runlog.rows import KIM, make_experiment, make_run

NAMES = {"main": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture
def experiment(db: None) -> Experiment:
    found = make_experiment()
    make_run(found, 1, title="=1+1", notes="one\ntwo", excluded={"ecc-cobo1": {"reason": "its HV trips"}})
    make_run(found, 2, started_at=None, stopped_at=None)
    measure(found, 1, Pressure=("number", "1e-3"), Counts=("integer", "42"), Target=("text", "-CD2"))
    return found


def measure(experiment: Experiment, number: int, **values: tuple[str, str]) -> None:
    for name, (kind, value) in values.items():
        row = experiment.observables.filter(name=name).first() or add(experiment, KIM, name, kind, "u", "")
        Measurement.objects.create(run=experiment.runs.get(number=number), observable=row, value=value)


def runs_of(experiment: Experiment) -> Any:
    return Run.objects.filter(experiment=experiment).order_by("number")


def as_json(experiment: Experiment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(json_parts(experiment, runs_of(experiment), {"run_class": "beam"})))
    return found


def test_json_has_types_and_says_what_was_asked(experiment: Experiment) -> None:
    found = as_json(experiment)
    assert (found["experiment"], found["asked"]) == ("e20009", {"run_class": "beam"})
    assert [(each["name"], each["unit"], each["type"]) for each in found["observables"]] == [
        ("Pressure", "u", "number"), ("Counts", "u", "integer"), ("Target", "u", "text"),
    ]  # fmt: skip
    first, second = found["runs"]
    assert first["measurements"] == {"Pressure": 0.001, "Counts": 42, "Target": "-CD2"}
    assert (first["title"], first["started_at"]) == ("=1+1", "2026-11-22T14:00:00.000Z")
    assert first["without"] == {"ecc-cobo1": "its HV trips"}
    assert (second["measurements"], second["started_at"], second["duration"]) == ({}, None, None)


def test_json_of_no_run_is_json(experiment: Experiment) -> None:
    found = json.loads("".join(json_parts(experiment, runs_of(experiment).none(), {})))
    assert found["runs"] == []


def sheets(experiment: Experiment) -> dict[str, Any]:
    """The parts of the workbook, by their names in it."""
    file = BytesIO()
    workbook.write(file, experiment, runs_of(experiment), {"run_class": "beam"})
    with ZipFile(BytesIO(file.getvalue())) as book:
        return {name: ET.fromstring(book.read(name)) for name in book.namelist() if name.endswith(".xml")}


def cells(sheet: Any) -> dict[str, tuple[str, str]]:
    """Place -> (kind, text) as the file has it; a number has no kind."""
    found = {}
    for cell in sheet.iterfind(".//main:c", NAMES):
        text = "".join(cell.itertext())
        found[cell.get("r")] = (cell.get("t", ""), text)
    return found


def test_a_workbook_has_typed_cells_and_no_formula(experiment: Experiment) -> None:
    parts = sheets(experiment)
    found = cells(parts["xl/worksheets/sheet1.xml"])
    head = {text: place[:-1] for place, (_, text) in found.items() if place[1:] == "1"}
    first = {title: found.get(f"{column}2") for title, column in head.items()}
    assert first["title"] == ("inlineStr", "=1+1")
    assert first["Target [u]"] == ("inlineStr", "-CD2")
    assert (first["run"], first["Pressure [u]"], first["Counts [u]"]) == (("", "1"), ("", "0.001"), ("", "42"))
    kind, days = first["started [UTC]"] or ("", "")
    assert kind == ""
    began = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=float(days))
    assert abs(began - datetime(2026, 11, 22, 14, tzinfo=UTC)) < timedelta(milliseconds=1)
    assert parts["xl/worksheets/sheet1.xml"].find(".//main:f", NAMES) is None


def test_the_head_of_a_workbook_stays_and_is_told_about(experiment: Experiment) -> None:
    parts = sheets(experiment)
    pane = parts["xl/worksheets/sheet1.xml"].find(".//main:pane", NAMES)
    assert pane is not None
    assert pane.get("state") == "frozen"
    observables = cells(parts["xl/worksheets/sheet2.xml"])
    assert [observables[f"A{row}"][1] for row in (2, 3, 4)] == ["Pressure", "Counts", "Target"]
    about = {text for _, text in cells(parts["xl/worksheets/sheet3.xml"]).values()}
    assert {"e20009", "run_class", "beam"} <= about


def test_a_number_that_excel_would_round_stays_as_it_was_written(experiment: Experiment) -> None:
    Measurement.objects.filter(observable__name="Counts").update(value="1234567890123456789")
    assert ("inlineStr", "1234567890123456789") in cells(sheets(experiment)["xl/worksheets/sheet1.xml"]).values()


def test_retired_observables_have_a_column_where_a_run_has_a_value(experiment: Experiment) -> None:
    Observable.objects.filter(name__in=["Pressure", "Counts"]).update(retired_at=timezone.now())
    names = [[row.name for row in columns_of(experiment, runs_of(experiment).filter(number=n))] for n in (1, 2)]
    assert names == [["Pressure", "Counts", "Target"], ["Target"]]


def test_an_export_asks_once_for_each_piece_however_much_was_measured(experiment: Experiment) -> None:
    Run.objects.bulk_create(
        Run(experiment=experiment, number=number, state="closed", requested_at=timezone.now())
        for number in range(3, 2 * CHUNK)
    )
    with CaptureQueriesContext(connection) as queries:
        lines = list(csv_lines(experiment, runs_of(experiment)))
    assert len(lines) == 2 * CHUNK
    assert len(queries) <= 6
