"""Runs for programs: filtered, sorted, in pieces, as files, with their timeline."""

from typing import get_args

import pytest

from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.listing import SORTS, VERDICTS
from attpcdaq.runlog.models import Experiment, RunState
from attpcdaq.web import tokens
from attpcdaq.web.api_run_schemas import SortName, StateName, VerdictName
from tests.runlog.rows import make_experiment, make_run
from tests.web.people import operator
from tests.web.test_api import Api


@pytest.fixture
def api(db: None) -> Api:
    return Api(tokens.create("test", operator(), DAQ))


@pytest.fixture
def experiment(db: None) -> Experiment:
    found = make_experiment()
    make_run(found, 1, title="alphas")
    make_run(found, 2, state=RunState.RUNNING, stopped_at=None, closed_at=None)
    return found


def test_runs_are_filtered_sorted_and_given_in_pieces(api: Api, experiment: Experiment) -> None:
    for number in (3, 4, 5):
        make_run(experiment, number, run_class="beam", title=f"betas {6 - number}")

    def numbers(**query: object) -> list[int]:
        return [run["number"] for run in api.get("runs", **query)[1]]

    assert numbers(run_class="beam") == [5, 4, 3]
    assert numbers(text="betas", sort="title") == [5, 4, 3]
    assert numbers(state="running") == [2]
    assert numbers(limit=2, offset=1) == [4, 3]
    assert numbers(since="2026-11-23", until="2026-11-23") == []
    answer = api.client.get("/api/v1/runs", {"limit": 1, "run_class": "beam"})
    assert (len(answer.json()), answer.headers["X-Total-Count"]) == (1, "3")


def test_a_wrong_filter_is_named(api: Api, experiment: Experiment) -> None:
    for query in (
        {"sort": "colour"},
        {"since": "x"},
        {"until": "0"},
        {"limit": "1001"},
        {"state": "off"},
        {"text": "a\0"},
    ):
        status, body = api.get("runs", **query)
        assert status == 422
        assert set(body["fields"]) == set(query)
    status, body = api.get("runs", since="2026-11-23", until="2026-11-22")
    assert (status, body["fields"]) == (422, {"until": "must not be before since, 2026-11-23."})


def test_the_orders_offered_are_those_of_the_list() -> None:
    assert set(get_args(SortName)) == set(SORTS)
    assert set(get_args(StateName)) == {"", *RunState.values}
    assert set(get_args(VerdictName)) == {"", *dict(VERDICTS)}


def test_exports_are_those_of_the_page(api: Api, experiment: Experiment) -> None:
    for kind in ("csv", "json"):
        page = api.client.get(f"/api/v1/runs/export?format={kind}&run_class=testing")
        assert page.headers["Content-Disposition"] == f'attachment; filename="e20009_runs.{kind}"'
        assert b"alphas" in b"".join(page.streaming_content)
    assert api.get("runs/export", format="pdf")[0] == 422


def test_the_timeline_of_a_run(api: Api, experiment: Experiment) -> None:
    body = api.get("runs/1")[1]["timeline"]
    assert [(phase["name"], phase["seconds"]) for phase in body["phases"]] == [
        ("Starting", 0.0), ("Running", 3600.0), ("Moving files", 0.0),
    ]  # fmt: skip
    assert body["begin"] == "2026-11-22T14:00:00Z"
    assert body["orders"] == []
