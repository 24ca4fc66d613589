"""Plots over runs: round marks, every value inside, texts that cannot break out."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.web.points import LARGEST, Point, categories, drawn, numbers, round_step, run_marks, share

WORDS = "{:.10g}".format
FINITE = st.floats(min_value=-LARGEST, max_value=LARGEST, allow_nan=False)


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_every_value_is_inside_the_plot_between_few_marks(values: list[float]) -> None:
    scale = numbers(values, WORDS)
    assert scale.low < scale.high
    assert 2 <= len(scale.marks) <= 8
    edge = (scale.high - scale.low) * 1e-6
    assert all(scale.low - edge <= value <= scale.high + edge for value in values)
    assert all(math.isfinite(scale.y(value)) for value in values)


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0, 10], ["0", "5", "10"]),
        ([292.8, 310.2], ["290", "295", "300", "305", "310", "315"]),
        ([0.1, 0.3], ["0.1", "0.15", "0.2", "0.25", "0.3"]),
        ([-3, 1], ["-3", "-2", "-1", "0", "1"]),
        ([5], ["4.5", "5", "5.5"]),
    ],
)
def test_marks_are_round(values: list[float], marks: list[str]) -> None:
    assert [text for _, text in numbers(values, WORDS).marks] == marks


@pytest.mark.parametrize(("wish", "step"), [(1, 1), (1.1, 2), (0.03, 0.05), (6, 10), (1e-12, 1e-12)])
def test_steps(wish: float, step: float) -> None:
    assert round_step(wish) == pytest.approx(step)


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_run_numbers_are_whole_few_and_in_order(low: int, span: int) -> None:
    marks = run_marks(low, low + span)
    numbers_written = [int(text) for _, text in marks]
    assert numbers_written == sorted(set(numbers_written))
    assert len(marks) <= 8
    assert all(0 <= at <= 1 for at, _ in marks)
    assert all(low <= number <= low + span for number in numbers_written)


def test_one_run_stands_in_the_middle() -> None:
    assert share(7, 7, 7) == 0.5
    assert run_marks(7, 7) == [(0.5, "7")]


def test_texts_are_categories_the_first_at_the_bottom() -> None:
    scale = categories(["CD2", "CH2"])
    assert scale.y(0) > scale.y(1)
    assert [text for _, text in scale.marks] == ["CD2", "CH2"]


def test_points_say_what_they_are_and_no_text_breaks_out() -> None:
    evil = '<script>"&'
    points = [Point(0.1, 0, f"Run 1: {evil}", 0), Point(0.9, 1, "Run 2", 1)]
    svg = drawn(evil, points, categories([evil, "b"]), [(0.5, evil)])
    assert "<script" not in svg
    assert svg.count("<circle") == 2
    assert "<title>Run 1: &lt;script&gt;&quot;&amp;</title>" in svg
    assert svg.startswith('<svg class="plot-area points"')


def test_the_line_is_broken_where_a_run_has_no_value() -> None:
    points = [Point(place / 10, 1, "", place) for place in (0, 1, 3, 4)]
    path = re.search(r' d="([^"]*)"', drawn("", points, numbers([1], WORDS), []))
    assert path
    assert re.sub(r"[0-9. ]", "", path[1]) == "MLML"
