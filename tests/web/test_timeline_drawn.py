"""The drawing of a run's operation, as plain values."""

import re
from datetime import UTC, datetime, timedelta

from lxml import html

from attpcdaq.runcontrol.seeing.timeline import Call, Order, Phase, Timeline
from attpcdaq.web.templatetags.run_tags import seconds_short
from attpcdaq.web.timeline_drawn import drawn, strip

BEGIN = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def order(*calls: Call, end: float | None = 10, state: str = "done") -> Order:
    return Order("start", "Start", "kim", state, "", at(0), None if end is None else at(end), calls)


def call(server: str, begin: float, end: float | None, state: str = "confirmed") -> Call:
    return Call(0, server, "Start", state, "", at(begin), None if end is None else at(end))


def boxes(drawing: str) -> list[tuple[float, float]]:
    """Left edge and width of every box, in percent."""
    found = html.fromstring(drawing).xpath("//rect")
    return [(float(each.get("x")[:-1]), float(each.get("width")[:-1])) for each in found]


def test_phases_lie_side_by_side_in_proportion() -> None:
    parts = Phase("Starting", at(0), at(10)), Phase("Running", at(10), at(90)), Phase("Moving files", at(90), None)
    found = Timeline(at(0), at(100), parts, (order(),))
    drawing = strip(found)
    assert boxes(drawing) == [(0, 10), (10, 80), (90, 10)]
    assert html.fromstring(drawing).xpath("//text/text()") == ["Running"], "there is no room for the others' names"
    assert "Starting 10 s" in drawing


def test_what_lies_after_the_end_is_not_drawn_and_what_is_outside_is_at_the_edge() -> None:
    found = Timeline(at(0), at(100), (Phase("Running", at(-5), at(500)), Phase("Checking files", at(100), at(900))), ())
    assert boxes(strip(found)) == [(0, 100)]


def test_a_run_of_no_length_can_be_drawn() -> None:
    assert boxes(strip(Timeline(at(0), at(0), (Phase("Starting", at(0), at(0)),), (order(),)))) == []


def test_every_server_has_a_lane_with_its_calls() -> None:
    found = drawn(order(call("b", 0, 5), call("a", 5, 10), call("b", 6, 8, "failed")), at(99))
    assert [lane.server for lane in found.lanes] == ["b", "a"]
    assert [boxes(lane.drawing) for lane in found.lanes] == [[(0, 50), (60, 20)], [(50, 50)]]
    assert "✕ Start" in found.lanes[0].drawing
    assert "Start of b: failed, 2.0 s" in found.lanes[0].drawing


def test_a_call_that_is_under_way_reaches_to_now() -> None:
    found = drawn(order(call("a", 5, None, "sent"), end=None), at(20))
    assert boxes(found.lanes[0].drawing) == [(25, 75)]
    assert "not over" in found.lanes[0].drawing


def test_a_call_never_made_has_no_lane() -> None:
    never = Call(0, "a", "Start", "skipped", "", None, None)
    assert drawn(order(never), at(20)).lanes == ()


def test_ticks_are_round_and_few() -> None:
    for seconds in (0.05, 0.9, 10, 61, 3600, 10**6):
        ticks = drawn(order(call("a", 0, seconds), end=seconds), at(0)).ticks
        texts = re.findall(r">([0-9.e+]+ (?:s|min))<", ticks)
        assert 1 <= len(texts) <= 7
        assert texts[0] in ("0 s", "0 min")


def test_names_are_text_and_nothing_else() -> None:
    assert "<script" not in drawn(order(call('<script>"', 0, 10)), at(0)).lanes[0].drawing


def test_seconds_as_short_as_one_wants_to_read_them() -> None:
    shown = [seconds_short(value) for value in (None, 0.416, 7.12, 42.4, 119.6, 3725)]
    assert shown == ["–", "0.42 s", "7.1 s", "42 s", "120 s", "1:02:05"]
