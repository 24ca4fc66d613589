"""Figures and reasons as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from attpcdaq.runlog.models import RunState
from attpcdaq.web.reasons import grouped
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
        (sentence,) = grouped(self.TWELVE)
        assert sentence.startswith("ecc-cobo0, ecc-cobo1, ecc-cobo2, ")
        assert sentence.endswith("ecc-cobo11: it is Idle: Breakup comes before Undo.")

    def test_short_names_two(self) -> None:
        assert grouped(self.TWELVE, short=True) == [
            "ecc-cobo0, ecc-cobo1 and 10 more: it is Idle: Breakup comes before Undo."
        ]
        assert grouped(self.TWELVE[:3], short=True)[0].startswith("ecc-cobo0, ecc-cobo1, ecc-cobo2: ")

    def test_a_sentence_with_a_colon_is_not_a_name(self) -> None:
        assert grouped(["No run is running: Start begins one.", "Start is under way."]) == [
            "No run is running: Start begins one.",
            "Start is under way.",
        ]

    def test_order_of_first_mention(self) -> None:
        assert grouped(["a: x.", "b: y.", "c: x."]) == ["a, c: x.", "b: y."]
