"""Metrics: who may read them, that they say what the rows say, and that the manual names each."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from attpcdaq.audit.people import DAQ
from attpcdaq.live import beats
from attpcdaq.live.models import ServiceBeat
from attpcdaq.runcontrol.models import Command, Step, StepState
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import ECCServer
from attpcdaq.web import tokens
from attpcdaq.web.metrics_steps import BOUNDS, StepDurations
from get_protocol.state_machine import State, Transition
from tests.web.people import browser, observer
from tests.web.seen import see

pytestmark = pytest.mark.django_db
MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
NOW = timezone.now()


def seen_by_all() -> None:
    see(build_detector(cobos=1), State.IDLE)


def steps(*durations: tuple[Transition, StepState, float]) -> None:
    command = Command.objects.create(
        action="describe", requested_by="kim", requested_at=NOW, expires_at=NOW, published_at=NOW
    )
    for number, (transition, state, seconds) in enumerate(durations):
        Step.objects.create(
            command=command,
            stage=number,
            server_name=f"ecc-{command.pk}-{number}",
            transition=transition,
            state=state,
            sent_at=NOW,
            finished_at=NOW + timedelta(seconds=seconds),
        )


def read(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Sample name and label values (sorted by label) -> value."""
    text = client.get("/metrics").content.decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestWhoMayRead:
    def test_nobody_without_a_token(self) -> None:
        answer = Client().get("/metrics")
        assert answer.status_code == 401
        assert b"Authorization: Bearer" in answer.content
        wrong = Client().get("/metrics", headers={"Authorization": "Bearer nothing"})
        assert wrong.status_code == 401

    def test_whoever_may_look(self) -> None:
        assert browser(observer()).get("/metrics").status_code == 200
        token = tokens.create("prometheus", observer(), DAQ)
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain")

    def test_only_looking(self) -> None:
        assert browser(observer()).post("/metrics").status_code == 405


def test_what_the_processes_say() -> None:
    seen_by_all()
    beats.beat("web", {}, NOW)
    beats.beat("events", {"stream_clients": 3}, NOW)
    beats.beat("celery-control", {"done.run_command": 7, "failed.run_command": 1}, NOW)
    beats.beat("celery-files", {"done.close_out": 2}, NOW, host="other")
    numbers = {"broker": 1, "queue.control": 4, "queue.files": 5, "readings": 100, "term": 2}
    beats.beat("monitor", numbers, NOW)
    found, host = read(browser(observer())), beats.host_name()
    assert found["attpcdaq_stream_clients", (host,)] == 3
    assert found["attpcdaq_tasks_total", (host, "done", "run_command")] == 7
    assert found["attpcdaq_tasks_total", (host, "failed", "run_command")] == 1
    assert found["attpcdaq_tasks_total", ("other", "done", "close_out")] == 2
    assert (found["attpcdaq_queue_messages", ("control",)], found["attpcdaq_queue_messages", ("files",)]) == (4, 5)
    assert found["attpcdaq_monitor_readings_total", (host,)] == 100
    assert found["attpcdaq_check", ("broker",)] == 0
    assert found["attpcdaq_beat_age_seconds", (host, "monitor")] < 60
    name = ECCServer.objects.values_list("name", flat=True)[0]
    assert 0 <= found["attpcdaq_ecc_poll_age_seconds", (name,)] < 60


def test_transitions_of_the_rows() -> None:
    steps(
        (Transition.DESCRIBE, StepState.CONFIRMED, 0.2),
        (Transition.DESCRIBE, StepState.CONFIRMED, 3.0),
        (Transition.DESCRIBE, StepState.FAILED, 61.0),
        (Transition.START, StepState.CONFIRMED, 0.01),
        (Transition.START, StepState.SENT, 1.0),
    )
    found = read(browser(observer()))
    duration = "attpcdaq_transition_duration_seconds"
    assert found[f"{duration}_count", ("confirmed", "describe")] == 2
    assert found[f"{duration}_sum", ("confirmed", "describe")] == pytest.approx(3.2)
    buckets = {le: found[f"{duration}_bucket", (le, "confirmed", "describe")] for le in ("0.1", "0.25", "2.5", "5.0")}
    assert buckets == {"0.1": 0, "0.25": 1, "2.5": 1, "5.0": 2}
    assert found[f"{duration}_bucket", ("+Inf", "failed", "describe")] == 1
    assert found[f"{duration}_count", ("confirmed", "start")] == 1


def test_a_clock_that_was_set_back_makes_no_sum_go_back() -> None:
    steps((Transition.DESCRIBE, StepState.CONFIRMED, 2.0), (Transition.DESCRIBE, StepState.CONFIRMED, -3600.0))
    (spread,) = StepDurations().now().values()
    assert (spread.count, spread.seconds) == (1, pytest.approx(2.0))


def test_nobody_follows_the_stream_of_a_process_that_is_gone() -> None:
    beats.beat("events", {"stream_clients": 3}, NOW, host="gone")
    ServiceBeat.objects.update(at=timezone.now() - timedelta(minutes=1))
    beats.beat("events", {"stream_clients": 2}, NOW)
    found = read(browser(observer()))
    streams = {labels: value for (name, labels), value in found.items() if name == "attpcdaq_stream_clients"}
    assert streams == {(beats.host_name(),): 2}


ENDED = st.tuples(
    st.sampled_from([Transition.PREPARE, Transition.STOP]),
    st.sampled_from([StepState.CONFIRMED, StepState.FAILED, StepState.SENT, StepState.WAITING]),
    st.floats(0, 200),
)


@settings(max_examples=25, deadline=None)
@given(rounds=st.lists(st.lists(ENDED, max_size=6), max_size=5))
def test_summing_up_bit_by_bit_is_summing_up_at_once(rounds) -> None:
    Step.objects.all().delete()
    durations = StepDurations(overlap=2)
    for ended in rounds:
        steps(*ended)
        durations.now()
        # what was under way ends later, after newer ones were seen
        Step.objects.filter(state=StepState.SENT).update(state=StepState.CONFIRMED)
    last = durations.now()
    fresh = StepDurations().now()
    assert {key: (one.within, one.count) for key, one in last.items()} == {
        key: (one.within, one.count) for key, one in fresh.items()
    }
    assert all(last[key].seconds == pytest.approx(fresh[key].seconds) for key in fresh)
    assert all(len(one.within) == len(BOUNDS) for one in fresh.values())


def test_labels_are_few() -> None:
    client = browser(observer())
    before = len(read(client))
    for number in range(30):
        client.get(f"/nothing/{number}")
        client.generic(f"ODD{number}", "/")
    assert len(read(client)) - before < 60


def test_the_manual_names_each_and_no_other() -> None:
    steps((Transition.DESCRIBE, StepState.CONFIRMED, 0.2))
    text = browser(observer()).get("/metrics").content.decode()
    told = set(re.findall(r"^# TYPE (attpcdaq_\w+)", text, re.MULTILINE))
    told = {name for name in told if not name.startswith("attpcdaq_web_process_")}
    named = set(re.findall(r"^\| `(attpcdaq_\w+)`", MANUAL, re.MULTILINE))
    assert told == named
