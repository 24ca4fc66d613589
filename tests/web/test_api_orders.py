"""The HTTP API's orders beside the commands: adopting, exclusions, restarts, preferences."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.models import Exclusion, Preferences, Restart
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.builders import Detector, build_detector
from attpcdaq.topology.models import Node
from attpcdaq.web import tokens
from attpcdaq.web.models import ApiToken
from get_protocol.state_machine import State
from tests.web.people import expert, observer, operator
from tests.web.seen import open_run, see

pytestmark = pytest.mark.django_db
RESTART = {"kind": "ecc", "name": "ecc-cobo1"}
EXCLUDE = {"ecc_server": "ecc-cobo1", "reason": "its HV trips"}
ORDERS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "commands", {"action": "stop"}),
    ("POST", "adopt", {}),
    ("POST", "exclusions", EXCLUDE),
    ("DELETE", "exclusions/ecc-cobo1", {}),
    ("POST", "restarts", RESTART),
    ("POST", "preferences", {"reconfigure_mutant": True}),
]
SOME_ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.fixture
def detector(db: None) -> Detector:
    return build_detector(cobos=2)


def ask(user: User, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and decoded answer."""
    token = tokens.create(f"token {ApiToken.objects.count()}", user, DAQ)
    answer = Client().generic(
        method,
        f"/api/v1/{path}",
        "" if body is None else json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    return answer.status_code, json.loads(answer.content) if answer.content else None


@pytest.mark.parametrize(("method", "path", "body"), ORDERS)
def test_an_observer_orders_nothing(detector: Detector, method: str, path: str, body: dict[str, Any]) -> None:
    status, answer = ask(observer(), method, path, body)
    assert status == 403
    assert "lee" in answer["detail"]


@pytest.mark.parametrize(("method", "path", "body"), ORDERS)
def test_nor_does_a_stranger(detector: Detector, method: str, path: str, body: dict[str, Any]) -> None:
    answer = Client().generic(method, f"/api/v1/{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize(("path", "body"), [("restarts", RESTART), ("preferences", {"reconfigure_mutant": True})])
def test_a_shifter_is_no_expert(detector: Detector, path: str, body: dict[str, Any]) -> None:
    status, answer = ask(operator(), "POST", path, body)
    assert status == 403
    assert "needs the role expert" in answer["detail"]


def test_boards_found_running_become_a_run(detector: Detector) -> None:
    Experiment.objects.create(name="e20009", is_active=True)
    see(detector, State.RUNNING)
    status, answer = ask(operator(), "POST", "adopt", {"title": "found", "run_class": "beam"})
    assert status == 201
    assert (answer["number"], answer["state"], answer["adopted"], answer["title"]) == (1, "running", True, "found")
    assert Run.objects.get().adopted


def test_nothing_is_adopted_where_nothing_runs(detector: Detector) -> None:
    Experiment.objects.create(name="e20009", is_active=True)
    see(detector, State.READY)
    status, answer = ask(operator(), "POST", "adopt", {})
    assert (status, answer["reasons"]) == (409, ["No included board is Running."])


def test_a_server_is_excluded_and_included_again(detector: Detector) -> None:
    see(detector, State.READY)
    status, answer = ask(operator(), "POST", "exclusions", EXCLUDE)
    assert (status, answer["reason"], answer["by"]) == (201, "its HV trips", "kim")
    assert Exclusion.objects.get().ecc_server.name == "ecc-cobo1"
    assert ask(operator(), "POST", "exclusions", EXCLUDE)[0] == 409
    assert ask(operator(), "DELETE", "exclusions/ecc-cobo1") == (204, None)
    assert not Exclusion.objects.exists()
    status, answer = ask(operator(), "DELETE", "exclusions/ecc-cobo0")
    assert (status, answer["reasons"]) == (409, ["ecc-cobo0 is not excluded."])


@pytest.mark.parametrize(
    ("path", "body", "field", "allowed"),
    [
        ("exclusions", {"ecc_server": "ecc-x", "reason": "r"}, "ecc_server", "known are ecc-cobo0, ecc-cobo1"),
        ("exclusions", {"ecc_server": "ecc-cobo1"}, "reason", "required"),
        ("exclusions", {"ecc_server": "ecc-cobo1", "reason": ""}, "reason", "at least 1 character"),
        ("exclusions", {"ecc_server": "ecc-cobo1", "reason": " "}, "reason", "1 to 200 printable characters"),
        ("exclusions", {"ecc_server": "ecc-cobo1", "reason": "x" * 201}, "reason", "at most 200 characters"),
        ("exclusions", {"server": "ecc-cobo1"}, "server", "allowed are ecc_server, reason"),
        ("adopt", {"title": "two\nlines"}, "title", "printable"),
        ("adopt", {"number": 3}, "number", "allowed are title, run_class"),
        ("restarts", {"kind": "node", "name": "node-cobo1"}, "kind", "'ecc' or 'router'"),
        ("restarts", {"kind": "router", "name": "ecc-cobo1"}, "name", "known are router-cobo0, router-cobo1"),
        ("preferences", {"reconfigure_mutant": "yes"}, "reconfigure_mutant", "boolean"),
        ("preferences", {"fast": True}, "fast", "allowed are reconfigure_mutant"),
    ],
)
def test_wrong_input_names_the_field_and_what_is_allowed(
    detector: Detector, path: str, body: dict[str, Any], field: str, allowed: str
) -> None:
    status, answer = ask(expert(), "POST", path, body)
    assert status == 422
    assert allowed in answer["fields"][field]


class TestRestarts:
    def test_it_is_recorded_and_can_be_followed(self, detector: Detector) -> None:
        Node.objects.update(restart_ecc="systemctl restart {name}")
        status, answer = ask(expert(), "POST", "restarts", RESTART)
        assert (status, answer["state"]) == (202, "queued")
        row = Restart.objects.get()
        assert (answer["id"], row.command) == (str(row.pk), "systemctl restart ecc-cobo1")
        status, answer = ask(observer(), "GET", f"restarts/{row.pk}")
        assert status == 200
        assert (answer["kind"], answer["name"], answer["requested_by"]) == ("ecc", "ecc-cobo1", "sam")
        assert ask(observer(), "GET", f"restarts/{SOME_ID}")[0] == 404

    def test_without_a_command_it_says_where_one_is_set_up(self, detector: Detector) -> None:
        Node.objects.update(restart_ecc="")
        status, answer = ask(expert(), "POST", "restarts", RESTART)
        assert status == 409
        assert "No command to restart ecc-cobo1 is set up" in answer["detail"]

    def test_during_a_run_it_must_be_confirmed(self, detector: Detector) -> None:
        Node.objects.update(restart_ecc="systemctl restart {name}")
        open_run()
        see(detector, State.RUNNING)
        status, answer = ask(expert(), "POST", "restarts", RESTART)
        assert status == 409
        assert "Run 7 is open" in answer["detail"]
        assert ask(expert(), "POST", "restarts", RESTART | {"confirm": True})[0] == 202


def test_the_preference_is_kept_and_told(detector: Detector) -> None:
    status, answer = ask(expert(), "POST", "preferences", {"reconfigure_mutant": True})
    assert (status, answer) == (200, {"reconfigure_mutant": True, "min_free_gb": 2.0})
    assert Preferences.objects.get().reconfigure_mutant
    status, answer = ask(expert(), "POST", "preferences", {"min_free_gb": 12.5})
    assert (status, answer) == (200, {"reconfigure_mutant": True, "min_free_gb": 12.5})
    assert Preferences.objects.get().min_free_gb == 12.5


@pytest.mark.parametrize("limit", [-1, 1e7, "NaN", "much"])
def test_a_limit_that_is_none_is_refused_by_name(detector: Detector, limit: object) -> None:
    status, answer = ask(expert(), "POST", "preferences", {"min_free_gb": limit, "reconfigure_mutant": True})
    assert status == 422
    assert "min_free_gb" in str(answer)
    assert not Preferences.objects.filter(reconfigure_mutant=True).exists()


def test_the_status_has_a_place_for_everything(detector: Detector) -> None:
    see(detector, State.READY)
    _, status = ask(observer(), "GET", "status")
    assert {"loose", "control", "reconfigure_mutant"} <= set(status)
    assert set(status["actions"]["go_ready"]) == {"allowed", "reasons", "confirm", "stages", "digest"}
    assert {"excluded", "still_busy", "trouble", "restart", "last_restart"} <= set(status["ecc_servers"][0])
    assert {"excluded", "deaf", "trouble", "restart", "last_restart"} <= set(status["data_routers"][0])
