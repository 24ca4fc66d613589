"""The HTTP API: what scripts of the analysis and of other systems rely on."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.live.models import ECCState, MonitorLease
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Experiment, Measurement, RunFile, RunState
from attpcdaq.runlog.observables import add
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import tokens
from attpcdaq.web.models import ApiToken
from get_protocol.state_machine import State
from tests.runlog.rows import make_experiment, make_run
from tests.web.people import browser, observer, operator


class Api:
    """A client with a token."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(
            headers={"authorization": f"Bearer {token}"} if token else {}, raise_request_exception=False
        )

    def get(self, path: str, **query: str) -> tuple[int, Any]:
        answer = self.client.get(f"/api/v1/{path}", query)
        return answer.status_code, answer.json()

    def post(self, body: object, content_type: str = "application/json") -> tuple[int, Any]:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        answer = self.client.post("/api/v1/commands", text, content_type=content_type)
        return answer.status_code, answer.json()


@pytest.fixture
def api(db: None) -> Api:
    return Api(tokens.create("test", operator(), DAQ))


def all_seen(state: State) -> None:
    now = timezone.now()
    MonitorLease.objects.create(at=now, until=now)
    for server in build_detector(cobos=2).ecc_servers:
        ECCState.objects.create(ecc_server=server, state=int(state), seen_at=now, changed_at=now)


def test_without_a_token_nothing_is_answered(db: None) -> None:
    for token in ("", "wrong", "attpcdaq_\x80é", "a b"):
        for path in ("status", "runs", "runs/1", "commands/3f2504e0-4f89-11d3-9a0c-0305e82c3301"):
            answer = Client().get(f"/api/v1/{path}", headers={"authorization": f"Bearer {token}"} if token else {})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="attpcdaq"'
            assert "manage.py token create" in answer.json()["detail"]
    assert Api().post({"action": "describe"})[0] == 401


def test_a_browser_may_read_but_not_command(db: None) -> None:
    client = browser(operator())
    assert client.get("/api/v1/status").status_code == 200
    assert client.post("/api/v1/commands", {"action": "stop"}, content_type="application/json").status_code == 401


def test_the_status_says_every_state_in_words(api: Api) -> None:
    all_seen(State.READY)
    ECCState.objects.filter(ecc_server__name="ecc-cobo1").update(seen_at=timezone.now() - timedelta(minutes=1))
    make_run(make_experiment(), 1)
    status, body = api.get("status")
    assert status == 200
    assert [(row["name"], row["state"]) for row in body["ecc_servers"]] == [
        ("ecc-cobo0", "ready"),
        ("ecc-cobo1", "unknown"),
        ("ecc-mutant", "ready"),
    ]
    assert 0 <= body["ecc_servers"][0]["age"] < 30
    assert body["ecc_servers"][1]["age"] > 59
    assert body["ecc_servers"][0]["boards"] == ["CoBo[0]"]
    assert body["experiment"] == "e20009"
    assert [row["name"] for row in body["data_routers"]] == ["router-cobo0", "router-cobo1", "router-mutant"]
    assert body["actions"]["start"]["allowed"] is False
    assert body["last_run"]["number"] == 1
    assert body["at"].endswith("Z")
    assert datetime.fromisoformat(body["at"]).tzinfo == UTC


def test_a_command_is_accepted_and_can_be_followed(api: Api) -> None:
    all_seen(State.IDLE)
    status, body = api.post({"action": "describe", "ecc_servers": None})
    assert status == 202
    assert body["state"] == "queued"
    command = Command.objects.get()
    assert body["id"] == str(command.pk)
    assert command.requested_by == "kim"
    status, body = api.get(f"commands/{command.pk}")
    assert status == 200
    assert (body["action"], body["state"], body["targets"]) == ("describe", "queued", None)
    assert {step["server"] for step in body["steps"]} == {"ecc-cobo0", "ecc-cobo1", "ecc-mutant"}
    assert {step["state"] for step in body["steps"]} == {"waiting"}
    assert body["requested_at"].endswith("Z")


def test_a_command_for_one_server(api: Api) -> None:
    all_seen(State.IDLE)
    assert api.post({"action": "describe", "ecc_servers": ["ecc-cobo1"]})[0] == 202
    assert Command.objects.get().targets == ["ecc-cobo1"]


def test_a_command_that_may_not_be_is_refused_with_every_reason(api: Api) -> None:
    all_seen(State.IDLE)
    status, body = api.post({"action": "start"})
    assert status == 409
    assert len(body["reasons"]) > 1
    assert all(reason in body["detail"] for reason in body["reasons"])
    assert not Command.objects.exists()


WRONG = [
    (
        {"action": "explode"},
        "action",
        "'describe', 'prepare', 'configure', 'start', 'stop', 'breakup', 'undo', 'go_ready' or 'go_idle'",
    ),
    ({}, "action", "required"),
    ({"action": None}, "action", "'describe'"),
    (
        {"action": "describe", "servers": []},
        "servers",
        "allowed are action, ecc_servers, title, run_class, confirm, plan",
    ),
    ({"action": "describe", "ecc_servers": ["ecc-x"]}, "ecc_servers", "known are ecc-cobo0, ecc-cobo1, ecc-mutant"),
    ({"action": "describe", "ecc_servers": []}, "ecc_servers", "at least 1 item"),
    ({"action": "describe", "ecc_servers": "ecc-cobo0"}, "ecc_servers", "list"),
    ({"action": "describe", "ecc_servers": [3]}, "ecc_servers.0", "string"),
    ({"action": "start", "title": "a" * 201}, "title", "200"),
    ({"action": "start", "title": "a\u0000"}, "title", "printable"),
    ({"action": "start", "title": "\ud800"}, "title", ""),
    ({"action": "start", "run_class": "holiday"}, "run_class", "'production'"),
    ({"action": "start", "confirm": "yes"}, "confirm", "boolean"),
    ([], "body", "valid"),
    ("text", "body", "valid"),
]


@pytest.mark.parametrize(("body", "field", "allowed"), WRONG)
def test_wrong_input_names_the_field_and_what_is_allowed(api: Api, body: object, field: str, allowed: str) -> None:
    all_seen(State.IDLE)
    status, answer = api.post(json.dumps(body))
    assert status == 422
    assert field in answer["fields"]
    assert allowed in answer["fields"][field]
    assert f"{field}: " in answer["detail"]
    assert not Command.objects.exists()


@pytest.mark.parametrize("text", ["", "{", "\x00", b"\xff\xfe", "[" * 100_000, '{"action": "describe"', "NaN"])
def test_what_is_not_json_is_refused(api: Api, text: str | bytes) -> None:
    status, answer = api.post(text)
    assert status in (400, 422)
    assert answer["detail"]


def test_a_body_without_end_is_refused(api: Api) -> None:
    status, answer = api.post(json.dumps({"action": "start", "title": "a" * 3_000_000}))
    assert status == 413
    assert answer["detail"]


def test_a_token_of_an_observer_commands_nothing(db: None) -> None:
    all_seen(State.IDLE)
    api = Api(tokens.create("look", observer(), DAQ))
    status, body = api.post({"action": "describe"})
    assert status == 403
    assert "lee may not operate" in body["detail"]
    assert api.get("status")[1]["actions"]["describe"]["allowed"] is False
    assert not Command.objects.exists()


@pytest.fixture
def experiment(db: None) -> Experiment:
    found = make_experiment()
    make_run(found, 1, title="alphas")
    make_run(found, 2, state=RunState.RUNNING, stopped_at=None, closed_at=None)
    make_run(make_experiment("older", is_active=False), 7)
    return found


def test_runs_of_the_active_experiment_newest_first(api: Api, experiment: Experiment) -> None:
    status, body = api.get("runs")
    assert status == 200
    assert [(run["number"], run["state"]) for run in body] == [(2, "running"), (1, "closed")]
    assert body[1]["started_at"] == "2026-11-22T14:00:00Z"
    assert (body[1]["duration"], body[0]["duration"], body[0]["stopped_at"]) == (3600.0, None, None)
    assert body[1]["directory"] == "e20009/run_0001"


def test_runs_of_a_named_experiment(api: Api, experiment: Experiment) -> None:
    assert [run["number"] for run in api.get("runs", experiment="older")[1]] == [7]
    assert api.get("runs/7", experiment="older")[1]["number"] == 7
    for path in ("runs", "runs/7"):
        for name in ("nothing", "a\x00", "../x"):
            status, body = api.get(path, experiment=name)
            assert status == 404
            assert "known: older, e20009" in body["detail"]
    assert api.get("runs", experiment="a" * 65)[0] == 422


def test_a_run_with_its_files_and_measurements(api: Api, experiment: Experiment) -> None:
    run = experiment.runs.get(number=1)
    path = "/staging/e20009/run_0001/CoBo0_AsAd0_2026-11-22T14:00:00.000_0000.graw"
    RunFile.objects.create(run=run, kind="data", node="node-cobo0", owner="router-cobo0", path=path, size=5_000_000_000)
    for name, kind, value in (("Pressure", "number", "1e2"), ("Target", "text", "CD2"), ("Gas", "integer", "-3")):
        Measurement.objects.create(run=run, observable=add(experiment, DAQ, name, kind, "u", ""), value=value)
    status, body = api.get("runs/1")
    assert status == 200
    assert body["files"] == [
        {"kind": "data", "node": "node-cobo0", "owner": "router-cobo0", "path": path, "size": 5_000_000_000}
    ]
    assert [(row["name"], row["type"], row["value"]) for row in body["measurements"]] == [
        ("Pressure", "number", 100.0),
        ("Target", "text", "CD2"),
        ("Gas", "integer", -3),
    ]


def test_a_run_that_is_not_there(api: Api, experiment: Experiment) -> None:
    assert api.get("runs/3") == (404, {"detail": "There is no run 3 of 'e20009'."})
    assert api.get(f"runs/{10**30}")[0] == 404
    for number in ("0", "-1", "x", "1.5"):
        status, body = api.get(f"runs/{number}")
        assert status == 422
        assert "number" in body["fields"]


def test_without_an_experiment_there_are_no_runs(api: Api) -> None:
    assert api.get("runs") == (200, [])
    assert api.get("runs/1")[0] == 404


def test_unknown_commands_and_addresses_answer_in_json(api: Api) -> None:
    assert api.get("commands/3f2504e0-4f89-11d3-9a0c-0305e82c3301")[0] == 404
    assert "command_id" in api.get("commands/x")[1]["fields"]
    for path in ("nothing", "runs/1/files", "status/"):
        assert "openapi.json" in api.get(path)[1]["detail"]


def test_wrong_methods_answer_in_json(api: Api) -> None:
    answer = api.client.delete("/api/v1/status")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json()["detail"] == "DELETE is not allowed here; use GET."


def test_the_document_is_open_and_names_every_answer(db: None) -> None:
    document = Client().get("/api/v1/openapi.json").json()
    # All of them are counted off, each with a method of the client, in tests/client/test_parity.py.
    assert {path.removeprefix("/api/v1/") for path in document["paths"]} >= {
        *("status", "commands", "commands/{command_id}", "adopt", "preferences", "control", "audit"),
        *("exclusions", "exclusions/{ecc_server}", "restarts", "restarts/{restart_id}"),
        *("runs", "runs/{number}", "runs/export", "configurations/diff", "configurations/{sha256}"),
        *(f"runs/{{experiment}}/{{number}}/{part}" for part in ("configuration", "manifest", "samples")),
        *("host-keys", "host-keys/read", "host-keys/pin", "host-keys/unpin"),
    }
    assert set(document["paths"]["/api/v1/commands"]["post"]["responses"]) >= {"202", "401", "403", "409", "422"}


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(api: Api) -> None:
    api.get("runs")
    first = ApiToken.objects.get().last_used_at
    api.get("runs")
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    api.get("runs")
    assert ApiToken.objects.get().last_used_at >= first


def test_a_database_that_is_away_is_said_in_json(api: Api) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE runlog_experiment RENAME TO runlog_gone")
        status, body = api.get("runs/1")
    assert status in (500, 503)
    assert body["detail"]
