"""Every moment is counted once: running, lost by a cause, or watched by nobody."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attpcdaq.shifts.accounting import (
    LOST,
    NOT_WATCHED,
    RUNNING,
    Account,
    History,
    Named,
    Segment,
    Taking,
    Watched,
    account,
    segments,
    whole_seconds,
)
from attpcdaq.shifts.causes import LABELS, Cause
from attpcdaq.shifts.spans import NOTHING, Interval, Span

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
READY, BUSY = Watched("ok"), Watched("busy")
MOMENTS = st.integers(-10_000_000, 110_000_000).map(lambda microseconds: at(microseconds / 1e6))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def spans_of(what: st.SearchStrategy[object]) -> st.SearchStrategy[list[Span[object]]]:
    """Arbitrary ones, of clocks that jump too: overlapping, backwards, in any order."""
    return st.lists(st.builds(Span, MOMENTS, MOMENTS, what), max_size=12)


WATCHED = st.builds(
    Watched,
    st.sampled_from(["ok", "busy", "bad", "off"]),
    st.sampled_from(["", "Board died"]),
    st.sampled_from(["", "No data"]),
    st.sampled_from([None, 1, 2]),
)
HISTORIES = st.builds(
    History,
    spans_of(WATCHED),
    spans_of(st.builds(Taking, st.integers(1, 3), st.integers(1, 3), st.booleans())),
    spans_of(st.builds(Named, st.sampled_from(sorted(LABELS)), st.sampled_from(["", "door"]))),
    spans_of(st.just("Start failed")),
)
HUNDRED = Interval(at(0), at(100))
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def counted(history: History, within: Interval = HUNDRED) -> list[tuple[float, float, str, str, str]]:
    return [
        ((one.begin - NOON).total_seconds(), (one.end - NOON).total_seconds(), one.kind, one.cause, one.detail)
        for one in segments(within, history)
    ]


@UNHURRIED
@given(HISTORIES, MOMENTS, MOMENTS)
def test_running_and_lost_and_not_watched_are_the_whole(history: History, begin: datetime, end: datetime) -> None:
    within = Interval(begin, end)
    found = segments(within, history)
    total = account(found)
    assert total.running + total.lost_time + total.not_watched == within.length == total.length
    assert sum(total.details.values(), NOTHING) == total.lost_time
    assert all(one.end == following.begin for one, following in itertools.pairwise(found))
    assert all(one.begin < one.end for one in found)


@UNHURRIED
@given(HISTORIES, st.lists(MOMENTS, max_size=6))
def test_the_parts_add_up_to_the_whole(history: History, borders: list[datetime]) -> None:
    """Shifts, days: wherever it is cut, nothing is counted twice or left out."""
    whole = account(segments(HUNDRED, history))
    cuts = sorted({HUNDRED.begin, HUNDRED.end, *(moment for moment in borders if at(0) < moment < at(100))})
    parts = Account()
    for begin, end in itertools.pairwise(cuts):
        for one in segments(Interval(begin, end), history):
            parts.add(one)
    assert parts == whole
    assert account(segments(HUNDRED, history, borders)) == whole


@UNHURRIED
@given(HISTORIES)
def test_nothing_counts_as_running_that_nobody_saw(history: History) -> None:
    for one in segments(HUNDRED, history):
        middle = one.begin + (one.end - one.begin) / 2
        seen = any(span.begin <= middle < span.end for span in history.watched)
        taken = any(span.begin <= middle < span.end for span in history.runs)
        assert (one.kind == NOT_WATCHED) == (not seen)
        assert one.in_run == taken
        assert taken or one.kind != RUNNING


@UNHURRIED
@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), min_size=1, max_size=20))
def test_whole_seconds_add_up_too(parts: list[timedelta]) -> None:
    whole = whole_seconds(parts)
    assert sum(whole) == sum(parts, NOTHING) // timedelta(seconds=1)
    assert all(
        abs(timedelta(seconds=shown) - part) < timedelta(seconds=1) for shown, part in zip(whole, parts, strict=True)
    )


def test_a_run_counts_from_its_start_to_its_stop() -> None:
    watched = [Span(at(-5), at(8), BUSY), Span(at(8), at(120), Watched("ok", run_id=1))]
    history = History(watched, [Span(at(6.25), at(70.5), Taking(1, 1))])
    assert counted(history) == [
        (0, 6.25, LOST, Cause.CHANGING, ""),
        (6.25, 70.5, RUNNING, "", ""),
        (70.5, 100, LOST, Cause.UNNAMED, ""),
    ]


def test_a_run_over_the_borders_counts_inside_them() -> None:
    history = History([Span(at(-50), at(150), READY)], [Span(at(-40), at(140), Taking(1, 1))])
    assert counted(history) == [(0, 100, RUNNING, "", "")]


def test_missing_data_of_this_very_run_are_lost() -> None:
    silent = Watched("bad", "No data", "No data", 1)
    watched = [Span(at(0), at(50), silent), Span(at(50), at(100), Watched("bad", "Disk nearly full", "", 1))]
    assert counted(History(watched, [Span(at(0), at(100), Taking(1, 1))])) == [
        (0, 50, LOST, Cause.DAQ, "No data"),
        (50, 100, RUNNING, "", ""),
    ]
    assert counted(History(watched, [Span(at(0), at(100), Taking(2, 2))])) == [(0, 100, RUNNING, "", "")]


def test_what_nobody_watched_is_neither_running_nor_lost() -> None:
    total = account(segments(HUNDRED, History([], [Span(at(10), at(40), Taking(1, 1))])))
    assert (total.running, total.lost, total.not_watched) == (NOTHING, {}, timedelta(seconds=100))
    assert total.unseen_runs == timedelta(seconds=30)


def test_the_crew_knows_better_than_the_daq_why_there_was_no_run() -> None:
    bad = Span(at(0), at(100), Watched("bad", "Board died"))
    failed = [Span(at(20), at(30), "Start failed")]
    assert counted(History([bad], (), (), failed)) == [
        (0, 20, LOST, Cause.DAQ, "Board died"),
        (20, 30, LOST, Cause.DAQ, "Start failed"),
        (30, 100, LOST, Cause.DAQ, "Board died"),
    ]
    named = [Span(at(0), at(60), Named("beam", "cryo trip"))]
    total = account(segments(HUNDRED, History([bad], (), named, failed)))
    assert total.details == {("beam", "cryo trip"): timedelta(seconds=60), ("daq", "Board died"): timedelta(seconds=40)}


def test_a_run_of_another_experiment_is_said_to_be_that() -> None:
    history = History([Span(at(0), at(100), READY)], [Span(at(0), at(100), Taking(1, 1, ours=False))])
    assert counted(history) == [(0, 100, LOST, Cause.ELSEWHERE, "")]


def test_after_a_clock_was_set_back_the_later_words_count() -> None:
    watched = [Span(at(10), at(90), Watched("bad", "Wedged")), Span(at(40), at(60), READY)]
    found = [(one[0], one[1], one[3]) for one in counted(History(watched))]
    assert found == [
        (0, 10, ""),
        (10, 40, Cause.DAQ),
        (40, 60, Cause.UNNAMED),
        (60, 90, Cause.DAQ),
        (90, 100, ""),
    ]


def test_a_border_cuts_and_nothing_else_does() -> None:
    watched = [Span(at(second), at(second + 10), READY) for second in range(0, 100, 10)]
    midnight = at(35)
    assert segments(HUNDRED, History(watched), [midnight, at(300)]) == [
        Segment(at(0), midnight, LOST, Cause.UNNAMED),
        Segment(midnight, at(100), LOST, Cause.UNNAMED),
    ]


def test_a_time_that_ends_before_it_begins_is_nothing() -> None:
    assert segments(Interval(at(5), at(0)), History([Span(at(0), at(9), READY)])) == []


def test_what_the_daq_saw_is_kept_where_the_crew_named_another_cause() -> None:
    named = [Span(at(0), at(60), Named("beam", "cryo trip"))]
    first, second = segments(HUNDRED, History([Span(at(0), at(100), BUSY)], (), named))
    assert (first.cause, first.as_seen().cause, first.as_seen().detail) == ("beam", Cause.CHANGING, "")
    assert second.as_seen() == second
