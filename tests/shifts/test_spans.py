"""Stretches of time: laid over each other, and what lies between them."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attpcdaq.shifts.spans import NOTHING, Interval, Layer, Span, between, laid_out

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SPANS = st.lists(
    st.tuples(st.integers(-20, 120), st.integers(-5, 60)).map(lambda one: span(one[0], one[0] + one[1])), max_size=15
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def span(begin: int, end: int, what: str = "") -> Span[str]:
    return Span(at(begin), at(end), what or f"{begin}..{end}")


HUNDRED = Interval(at(0), at(100))
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_later_one_lies_on_top() -> None:
    laid = laid_out([span(0, 50, "a"), span(20, 30, "b")], HUNDRED)
    assert laid == [span(0, 20, "a"), span(20, 30, "b"), span(30, 50, "a")]
    assert laid_out([span(20, 30, "b"), span(0, 50, "a")], HUNDRED) == [
        span(0, 20, "a"), span(20, 30, "a"), span(30, 50, "a"),
    ]  # fmt: skip


def test_what_is_outside_is_cut_off() -> None:
    assert laid_out([span(-20, 10), span(90, 130), span(130, 140), span(30, 20)], HUNDRED) == [
        Span(at(0), at(10), "-20..10"),
        Span(at(90), at(100), "90..130"),
    ]


def test_an_interval_that_ends_before_it_begins_is_empty() -> None:
    assert Interval(at(5), at(0)).length == NOTHING
    assert laid_out([span(0, 10)], Interval(at(5), at(0))) == []


@UNHURRIED
@given(SPANS)
def test_every_second_is_what_was_written_last(spans: list[Span[str]]) -> None:
    spans = [Span(one.begin, one.end, str(number)) for number, one in enumerate(spans)]
    laid = laid_out(spans, HUNDRED)
    layer = Layer(laid)
    assert all(one.end <= other.begin for one, other in itertools.pairwise(laid))
    for second in range(100):
        covering = [one.what for one in spans if one.begin <= at(second) < one.end]
        assert layer.at(at(second)) == (covering[-1] if covering else None)


def test_what_lies_between_knows_what_came_before() -> None:
    gaps = between([span(-30, -20, "before"), span(10, 20, "a"), span(40, 60, "b")], HUNDRED)
    assert [(gap.what, (gap.begin - NOON).seconds, (gap.end - NOON).seconds) for gap in gaps] == [
        ("before", 0, 10), ("a", 20, 40), ("b", 60, 100),
    ]  # fmt: skip


def test_before_anything_there_is_nothing() -> None:
    assert between([], HUNDRED) == [Span(at(0), at(100), None)]
    assert between([span(0, 100)], HUNDRED) == []


@UNHURRIED
@given(SPANS.map(lambda spans: [one for one in spans if one.begin <= one.end]))
def test_spans_and_what_lies_between_fill_the_interval(spans: list[Span[str]]) -> None:
    gaps = between(spans, HUNDRED)
    for second in range(100):
        inside = any(one.begin <= at(second) < one.end for one in spans)
        assert inside != any(gap.begin <= at(second) < gap.end for gap in gaps)
