"""Run sheets, observables, measurements and experiments over the API."""

import json
from typing import Any

import pytest
from django.test import Client

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunState
from attpcdaq.runlog.observables import add
from attpcdaq.web import tokens
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.people import operator

pytestmark = pytest.mark.django_db
API = "/api/v1"


class Caller:
    """A program with a token."""

    def __init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {tokens.create('analysis', operator('kim'), DAQ)}"}
        self.client = Client()

    def __call__(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        sent = "" if body is None else json.dumps(body)
        answer = self.client.generic(
            method, f"{API}{path}", sent, content_type="application/json", headers=self.headers
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


@pytest.fixture
def call() -> Caller:
    return Caller()


@pytest.fixture
def run() -> Run:
    experiment = make_experiment()
    add(experiment, DAQ, "Pressure", "number", "torr", "", required=True, minimum=0, maximum=800)
    add(experiment, DAQ, "Target", "text", "", "")
    run = make_run(experiment, 1)
    Run.objects.filter(pk=run.pk).update(closed_at=None, state=RunState.RUNNING)
    return run


def by_name(name: str) -> Observable:
    return Observable.objects.get(name=name)


def test_a_sheet_is_read_and_written(call: Caller, run: Run) -> None:
    sheet = call("GET", "/runs/1/sheet")
    assert (sheet["run"], sheet["missing"], sheet["measurements"][0]["value"]) == (1, ["Pressure"], None)
    assert (sheet["measurements"][0]["minimum"], sheet["measurements"][0]["required"]) == (0.0, True)
    body = {"title": "alphas", "measurements": {"Pressure": 3.5, "Target": "CD2"}}
    sheet = call("PATCH", "/runs/1/sheet", body)
    assert (sheet["title"], sheet["missing"]) == ("alphas", [])
    assert [each["value"] for each in sheet["measurements"]] == [3.5, "CD2"]
    history = call("GET", "/runs/1/sheet/history")
    assert {(each["field"], each["now"], each["late"]) for each in history} == {
        ("Title", "alphas", False), ("Pressure", "3.5", False), ("Target", "CD2", False),
    }  # fmt: skip
    assert len(call("GET", "/runs/1/sheet/history?limit=1&offset=1")) == 1
    assert call("PATCH", "/runs/1/sheet", {"measurements": {"Pressure": None}})["missing"] == ["Pressure"]
    assert Entry.objects.filter(what="run sheet", who="kim").count() == 2


WRONG = [
    ({"measurements": {"Pressure": 801}}, "Pressure", "0 to 800 torr"),
    ({"measurements": {"Pressure": "1,5"}}, "Pressure", "a number with a decimal point"),
    ({"measurements": {"Gas": 1}}, "Gas", "known: Pressure, Target"),
    ({"title": "a\nb"}, "title", "one line"),
    ({"run_class": ""}, "run_class", "is not one of"),
    ({"seen": {"Gas": 1}}, "Gas", "known: title, run_class, notes, Pressure"),
    ({"measurements": {"Pressure": True}}, "measurements", ""),
    ({"verdict": "good"}, "verdict", "allowed are title, run_class"),
]


@pytest.mark.parametrize(("body", "field", "said"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_saved(
    call: Caller, run: Run, body: dict[str, Any], field: str, said: str
) -> None:
    answer = call("PATCH", "/runs/1/sheet", {"notes": "x"} | body, status=422)
    (wrong,) = {name.partition(".")[0] for name in answer["fields"]}
    assert wrong == field
    assert said in answer["detail"]
    run.refresh_from_db()
    assert (run.notes, run.measurements.count()) == ("", 0)


def test_what_somebody_else_wrote_is_not_replaced_unseen(call: Caller, run: Run) -> None:
    Measurement.objects.create(run=run, observable=by_name("Pressure"), value="3.50")
    body: dict[str, Any] = {"measurements": {"Pressure": 4}}
    answer = call("PATCH", "/runs/1/sheet", body | {"seen": {"Pressure": None}}, status=409)
    assert answer["reasons"] == ["Pressure: somebody else wrote '3.50' meanwhile; save again to replace it."]
    call("PATCH", "/runs/1/sheet", body | {"seen": {"Pressure": 3.5}})
    call("PATCH", "/runs/1/sheet", {"measurements": {"Pressure": 5}})
    assert run.measurements.get().value == "5"
    call("PATCH", "/runs/1/sheet", {"title": "b", "seen": {"title": "not this"}}, status=409)


def test_the_previous_runs_values_are_taken(call: Caller, run: Run) -> None:
    assert call("POST", "/runs/1/sheet/same-as-previous", {}) == {"run": None, "filled": []}
    for name, value in (("Pressure", "3"), ("Target", "CD2")):
        Measurement.objects.create(run=run, observable=by_name(name), value=value)
    make_run(run.experiment, 2)
    path = "/runs/2/sheet/same-as-previous"
    assert call("POST", path, {"observables": ["Target"]}) == {"run": 1, "filled": ["Target"]}
    assert call("POST", path, {}) == {"run": 1, "filled": ["Pressure"]}
    assert "Gas" in call("POST", path, {"observables": ["Gas"]}, status=422)["fields"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/runs/9/sheet"), ("PATCH", "/runs/9/sheet"), ("GET", "/runs/9/sheet/history"),
     ("POST", "/runs/9/sheet/same-as-previous"), ("GET", "/runs/1/sheet?experiment=x"),
     ("PATCH", "/observables/999"), ("DELETE", "/observables/999"), ("POST", "/observables/999/retire"),
     ("POST", "/observables/999/bring-back"), ("GET", "/measurements?experiment=x"), ("PATCH", "/experiments/x"),
     ("POST", "/experiments/x/activate")],
)  # fmt: skip
def test_what_is_not_there_is_not_found(call: Caller, run: Run, method: str, path: str) -> None:
    body = {"name": "y"} if path == "/experiments/x" else {}
    assert "There is no" in call(method, path, body, status=404)["detail"]


def test_observables_are_made_changed_ordered_and_removed(call: Caller, run: Run) -> None:
    made = call("POST", "/observables", {"name": "Gas", "type": "text", "comment": "mixture"}, status=201)
    assert (made["type"], made["required"], made["retired_at"]) == ("text", False, None)
    path = f"/observables/{made['id']}"
    assert call("PATCH", path, {"type": "number", "minimum": 1, "unit": "%"})["minimum"] == 1.0
    assert call("PATCH", path, {"minimum": None})["minimum"] is None
    order = call("POST", "/observables/order", {"order": [made["id"]]})
    assert [each["name"] for each in order] == ["Gas", "Pressure", "Target"]
    assert call("POST", f"{path}/retire")["retired_at"]
    call("POST", f"{path}/retire", status=409)
    assert [each["name"] for each in call("GET", "/observables")] == ["Pressure", "Target"]
    assert len(call("GET", "/observables?retired=true")) == 3
    assert call("POST", f"{path}/bring-back")["retired_at"] is None
    call("POST", f"{path}/bring-back", status=409)
    call("DELETE", path, status=204)
    call("DELETE", path, status=404)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "pressure"}, "name"), ({"name": "G", "type": "text", "maximum": 3}, "maximum"), ({"name": ""}, "name"),
     ({"name": "G", "minimum": 3, "maximum": 2}, "maximum"), ({"name": "G", "type": "date"}, "type")],
)  # fmt: skip
def test_observables_that_make_no_sense_are_refused(
    call: Caller, run: Run, body: dict[str, object], field: str
) -> None:
    assert list(call("POST", "/observables", body, status=422)["fields"]) == [field]
    assert Observable.objects.count() == 2


def test_null_is_only_for_limits(call: Caller, run: Run) -> None:
    answer = call("PATCH", f"/observables/{by_name('Target').pk}", {"name": None}, status=422)
    assert list(answer["fields"]) == ["name"]


def test_one_with_values_is_not_removed(call: Caller, run: Run) -> None:
    Measurement.objects.create(run=run, observable=by_name("Target"), value="CD2")
    reasons = call("DELETE", f"/observables/{by_name('Target').pk}", status=409)["reasons"]
    assert reasons == ["Target has recorded values and cannot be removed; retire it instead."]


def test_observables_are_copied(call: Caller, run: Run) -> None:
    make_experiment("e20010", is_active=False)
    path = "/observables/copy?experiment=e20010"
    assert call("POST", path, {"source": "e20009"}) == {"copied": ["Pressure", "Target"], "there_already": []}
    assert call("POST", path, {"source": "e20009"})["there_already"] == ["Pressure", "Target"]
    for wrong in ("e20010", "x"):
        assert list(call("POST", path, {"source": wrong}, status=422)["fields"]) == ["source"]


def test_measurements_are_given_as_numbers(call: Caller, run: Run) -> None:
    Measurement.objects.create(run=run, observable=by_name("Pressure"), value="3.50")
    make_run(run.experiment, 2, run_class="beam")
    answer = call("GET", "/measurements")
    assert [(each["number"], each["values"]) for each in answer["runs"]] == [(2, {}), (1, {"Pressure": 3.5})]
    assert [each["name"] for each in answer["observables"]] == ["Pressure", "Target"]
    assert [each["number"] for each in call("GET", "/measurements?run_class=beam")["runs"]] == [2]
    assert [each["number"] for each in call("GET", "/measurements?limit=1&offset=1")["runs"]] == [1]


def test_without_an_experiment_there_is_nothing(call: Caller) -> None:
    assert call("GET", "/measurements") == {"experiment": None, "observables": [], "runs": []}
    assert call("GET", "/observables") == []
    assert "No experiment is active" in call("POST", "/observables", {"name": "Gas"}, status=404)["detail"]


def test_experiments_are_made_renamed_and_activated(call: Caller, run: Run) -> None:
    made = call("POST", "/experiments", {"name": "e20010"}, status=201)
    assert (made["directory"], made["directory_is_fixed"], made["active"], made["runs"]) == ("e20010", False, False, 0)
    call("POST", "/experiments", {"name": "E20010"}, status=409)
    call("POST", "/experiments", {"name": "../x"}, status=422)
    call("POST", "/experiments/e20010/activate", status=409)
    call("PATCH", "/experiments/e20009", {"name": "46Ar"}, status=409)
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=NOON)
    Experiment.objects.filter(name="e20009").update(directory="e20009", last_run_number=1)
    assert call("PATCH", "/experiments/e20009", {"name": "46Ar"})["directory"] == "e20009"
    assert call("POST", "/experiments/e20010/activate")["active"]
    listed = {each["name"]: (each["active"], each["runs"]) for each in call("GET", "/experiments")}
    assert listed == {"46Ar": (False, 1), "e20010": (True, 0)}
