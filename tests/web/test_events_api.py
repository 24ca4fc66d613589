"""Events over the API: looked through, followed, acknowledged."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from attpcdaq.audit.people import DAQ
from attpcdaq.live.models import Event
from attpcdaq.live.store import add_event
from attpcdaq.web import tokens
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.people import operator

pytestmark = pytest.mark.django_db


def happen(text: str, severity: str = "info", at: datetime = NOON) -> Event:
    return add_event("ecc", text, severity=severity, at=at)


@pytest.fixture
def token() -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create('events', operator('kim'), DAQ)}"}


def get(token: dict[str, str], query: str = "") -> list[str]:
    return [event["text"] for event in Client().get(f"/api/v1/events{query}", headers=token).json()]


def post(token: dict[str, str], **sent: object) -> tuple[int, dict[str, object]]:
    answer = Client().post("/api/v1/events/acknowledge", sent, content_type="application/json", headers=token)
    return answer.status_code, answer.json()


def test_looked_through_and_followed(token: dict[str, str]) -> None:
    ids = [happen(f"event {number}", "error" if number % 2 else "info").pk for number in range(6)]
    add_event("router")
    assert get(token) == [f"event {number}" for number in (5, 4, 3, 2, 1, 0)]
    assert get(token, "?limit=2") == ["event 5", "event 4"]
    assert get(token, f"?limit=2&before={ids[4]}") == ["event 3", "event 2"]
    assert get(token, f"?after={ids[3]}&severity=info") == ["event 5", "event 4"]
    assert get(token, "?severity=error&text=EVENT") == ["event 5", "event 3", "event 1"]
    assert get(token, "?is_open=true&subject=nobody") == []


def test_by_time_and_run(token: dict[str, str]) -> None:
    run = make_run(make_experiment(), 12)
    happen("in it", at=run.requested_at + timedelta(minutes=1))
    happen("after it", at=run.requested_at + timedelta(hours=2))
    assert get(token, "?run=e20009/12") == ["in it"]
    assert get(token, f"?since={(run.requested_at + timedelta(hours=1)):%Y-%m-%dT%H:%M:%SZ}") == ["after it"]
    assert get(token, "?until=1990-01-01T00:00:00Z") == []
    for wrong in ("0", "2026-11-22", "2026-11-22T03:12:44", "yesterday"):
        answer = Client().get(f"/api/v1/events?since={wrong}", headers=token)
        assert (answer.status_code, "with its zone" in answer.json()["fields"]["since"]) == (422, True)
    for wrong in ("12", "e20009/13", "nothing/1"):
        assert Client().get(f"/api/v1/events?run={wrong}", headers=token).status_code == 404


def test_acknowledged(token: dict[str, str]) -> None:
    ids = [happen(f"event {number}", "error").pk for number in range(4)]
    assert post(token, ids=ids[:1]) == (200, {"acknowledged": 1, "left": 3})
    assert post(token, ids=ids[:2]) == (200, {"acknowledged": 1, "left": 2})
    assert post(token, through=ids[2]) == (200, {"acknowledged": 1, "left": 1})
    assert get(token, "?is_open=true") == ["event 3"]
    seen = Client().get("/api/v1/events", headers=token).json()
    assert [event["acknowledged_by"] for event in seen] == ["", "kim", "kim", "kim"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 422), ({"ids": []}, 422), ({"ids": [1], "through": 1}, 422), ({"ids": [0]}, 422),
        ({"ids": ["1"]}, 422), ({"ids": [1 << 63]}, 422), ({"ids": [1], "why": "x"}, 422),
        ({"ids": list(range(1, 502))}, 422),
        ({"ids": [999_999]}, 404), ({"through": -1}, 422), ({"through": True}, 422),
    ],
)  # fmt: skip
def test_what_is_wrong(token: dict[str, str], sent: dict[str, object], status: int) -> None:
    happen("is not running", "error")
    assert post(token, **sent)[0] == status
    assert not Event.objects.filter(acknowledged_at__isnull=False).exists()
