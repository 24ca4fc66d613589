"""Clocks of nodes: stored at each reading, news only when they go wrong or right."""

from datetime import UTC, datetime

import pytest

from attpcdaq.gateways.ports import NodeClock
from attpcdaq.live.clocks import is_off, offset_words, record_clock, record_clock_problem
from attpcdaq.live.models import Event, NodeState
from attpcdaq.testing.builders import build_detector

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def clock(offset: float, error: float = 0.002) -> NodeClock:
    return NodeClock(offset, error, 60)


@pytest.mark.parametrize(
    ("offset", "error", "off"),
    [(0.049, 0.0, False), (0.051, 0.0, True), (-0.051, 0.0, True), (0.2, 0.16, False), (-0.3, 0.1, True)],
)
def test_it_is_off_by_more_than_50_ms_beyond_what_the_reading_may_be_wrong_by(
    offset: float, error: float, off: bool
) -> None:
    assert is_off(clock(offset, error), was_off=False) is off


@pytest.mark.django_db
def test_it_is_said_once_that_it_is_off_and_once_that_it_is_right() -> None:
    node = build_detector(cobos=1, mutant=False).nodes[0]
    for offset in (0.01, 0.3, 0.31, 0.3, 0.049, 0.051, 0.049, 0.051, 0.01, 0.02):
        assert record_clock(node.pk, clock(offset), NOON)
    said = list(Event.objects.order_by("id").values_list("subject", "severity", "text"))
    assert said == [
        ("node-cobo0", "warning", "its clock is 0.3 s ahead"),
        ("node-cobo0", "info", "its clock is right again"),
    ]
    row = NodeState.objects.get()
    assert (row.clock_offset, row.clock_error, row.utc_offset, row.clock_at, row.clock_off) == (
        0.02, 0.002, 60, NOON, False
    )  # fmt: skip


@pytest.mark.django_db
def test_a_clock_that_cannot_be_read_keeps_what_was_known() -> None:
    node = build_detector(cobos=1, mutant=False).nodes[0]
    record_clock(node.pk, clock(0.3), NOON)
    assert record_clock_problem(node.pk, "no answer", NOON)
    assert not record_clock_problem(node.pk, "no answer", NOON)
    row = NodeState.objects.get()
    assert (row.clock_offset, row.clock_off, row.problem) == (0.3, True, "no answer")
    record_clock(node.pk, clock(0.3), NOON)
    assert NodeState.objects.get().problem == ""
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (0.0512, "0.051 s ahead"),
        (-1.234, "1.2 s behind"),
        (42.0, "42 s ahead"),
        (-600, "10 min behind"),
        (7200, "2.0 h ahead"),
    ],
)
def test_an_offset_in_words(offset: float, words: str) -> None:
    assert offset_words(offset) == words
