"""Figures and reasons as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from attpcdaq.runlog.models import RunState
from attpcdaq.web.reasons import grouped, ranges
from attpcdaq.web.templatetags import daq_tags

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0 B"), (999, "999 B"), (999.6, "1.00 kB"),
        (1234, "1.23 kB"), (9994, "9.99 kB"),
        (9996, "10.0 kB"), (99_949, "99.9 kB"), (99_960, "100 kB"),
        (999_400, "999 kB"), (999_600, "1.00 MB"), (1_073_741_824, "1.07 GB"),
        (7.31e11, "731 GB"), (1e12, "1.00 TB"), (5e18, "5000 PB"),
    ],
)  # fmt: skip
def test_bytes(value: float | None, text: str) -> None:
    assert daq_tags.human_bytes(value) == text


def test_rates() -> None:
    assert daq_tags.human_rate(1.2e6) == "1.20 MB/s"
    assert daq_tags.human_rate(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "never"), (-1, "0 s"), (0.9, "0 s"), (99.9, "99 s"), (100, "1 min"), (5999, "99 min"), (6000, "1 h"),
        (172_799, "47 h"), (172_800, "2 d"),
    ],
)  # fmt: skip
def test_ages(seconds: float | None, text: str) -> None:
    assert daq_tags.age(seconds) == text


def test_ages_at_a_moment() -> None:
    assert daq_tags.age_at(NOW - timedelta(seconds=4), NOW) == "4 s"
    assert daq_tags.age_at(None, NOW) == "never"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (-3, "0:00:00"), (59.9, "0:00:59"), (3600, "1:00:00"), (360_000, "100:00:00")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert daq_tags.duration(seconds) == text


def test_epoch() -> None:
    assert daq_tags.epoch(NOW) == "1795320000.000"
    assert daq_tags.epoch(None) == ""


def test_every_state_of_a_run_has_a_level() -> None:
    assert {state: daq_tags.run_level(state) for state in RunState.values} == {
        "requested": "busy", "starting": "busy", "running": "ok", "stopping": "busy", "closing": "busy",
        "closed": "off", "failed": "bad",
    }  # fmt: skip


class TestReasons:
    TWELVE = [f"ecc-cobo{number}: it is Idle: Breakup comes before Undo." for number in range(12)]

    def test_what_is_common_is_said_once_and_names_all(self) -> None:
        (sentence,) = grouped([*self.TWELVE, "ecc-mutant: it is Idle: Breakup comes before Undo."])
        assert sentence == "ecc-cobo0 .. ecc-cobo11, ecc-mutant: it is Idle: Breakup comes before Undo."

    def test_short_names_two_where_there_is_no_range(self) -> None:
        every_other = self.TWELVE[::2]
        assert grouped(every_other)[0].startswith("ecc-cobo0, ecc-cobo2, ecc-cobo4, ecc-cobo6, ")
        assert grouped(every_other, short=True) == [
            "ecc-cobo0, ecc-cobo2 and 4 more: it is Idle: Breakup comes before Undo."
        ]
        assert grouped(every_other[:3], short=True)[0].startswith("ecc-cobo0, ecc-cobo2, ecc-cobo4: ")

    def test_a_sentence_with_a_colon_is_not_a_name(self) -> None:
        assert grouped(["No run is running: Start begins one.", "Start is under way."]) == [
            "No run is running: Start begins one.",
            "Start is under way.",
        ]

    def test_a_name_in_brackets_does_not_part_them(self) -> None:
        quiet = [f"router-c{number}: no data for 6 s (ecc-c{number})." for number in range(3)]
        assert grouped(quiet) == ["router-c0 .. router-c2: no data for 6 s."]
        assert grouped(quiet[:1]) == quiet[:1]

    def test_order_of_first_mention(self) -> None:
        assert grouped(["a: x.", "b: y.", "c: x."]) == ["a, c: x.", "b: y."]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Waiting for a-0, a-1, a-2, mutant.", "Waiting for a-0 .. a-2, mutant."),
        ("Running: c1, c2. Adopt it.", "Running: c1, c2. Adopt it."),
        ("1, 2, 3", "1, 2, 3"),
        ("ecc-c1: ecc-c1 (127.0.0.1:8083): gone", "ecc-c1 (127.0.0.1:8083): gone"),
        ("c9, c10, c11 and c1", "c9 .. c11 and c1"),
    ],
)
def test_names_in_a_sentence_too(text: str, shown: str) -> None:
    assert daq_tags.compact(text) == shown
    assert grouped([text]) == [shown]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["mutant"], "mutant"),
        (["cobo0", "cobo1"], "cobo0, cobo1"),
        (["cobo0", "cobo1", "cobo2"], "cobo0 .. cobo2"),
        (["cobo0", "cobo1", "cobo10", "cobo11", "cobo9", "mutant"], "cobo0, cobo1, cobo9 .. cobo11, mutant"),
        (["mutant", "cobo2", "cobo1", "cobo0"], "mutant, cobo0 .. cobo2"),
        (["a1b", "a2b", "a3b"], "a1b, a2b, a3b"),
        (["7", "8", "9"], "7 .. 9"),
        (["cobo1", "cobo1", "cobo2", "rack1", "rack2", "rack3"], "cobo1, cobo2, rack1 .. rack3"),
    ],
)
def test_names_in_a_row_are_a_range(names: list[str], text: str) -> None:
    assert ranges(names) == text
