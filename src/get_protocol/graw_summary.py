"""What a scan says of a GRAW file, and how it travels as JSON from a node.

Standard library only and Python 3.8 or newer: the same module runs on the nodes.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_RANGES = 1000
"""Ranges of event numbers that a summary keeps; beyond it `ranges_dropped` counts them."""

TRUNCATED, GARBAGE = "truncated", "garbage"
MOST = (1 << 63) - 1
"""Largest count there is."""


@dataclass
class Summary:
    """Frames of one file; times in ticks of 10 ns, None where there is no frame or the type carries none.

    First and last are meant in the order of the file.
    """

    size: int = 0
    frames: int = 0
    first_event: int | None = None
    last_event: int | None = None
    first_time: int | None = None
    last_time: int | None = None
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """Event numbers in file order, as first and last of runs without a gap."""
    ranges_dropped: int = 0
    missing: int = 0
    """Event numbers left out where they go up: all that are missing, if `numbers_back` is 0."""
    numbers_back: int = 0
    """Frames whose event number is not above the one before."""
    times_back: int = 0
    """Frames whose time stamp is below the one before."""
    largest_step: int = 0
    """Longest time between two frames, in ticks."""
    sources: dict[str, int] = field(default_factory=dict)
    """Frames by source: `CoBo3_AsAd1`, `MuTanT`, `CoBo3_topology`."""
    tail: str = ""
    """Empty when the last frame is whole; `truncated` or `garbage`, and then what it is, in words, in `tail_text`."""
    tail_at: int = 0
    tail_text: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON has it: ranges as lists of two."""
        return {**asdict(self), "ranges": [list(pair) for pair in self.ranges]}

    @classmethod
    def from_json(cls, value: object) -> Summary:
        """The summary of which `to_json` made `value`; BadSummary names what cannot be one."""
        if not isinstance(value, dict) or set(value) != set(cls.__dataclass_fields__):
            raise BadSummary(f"a summary is an object of {', '.join(cls.__dataclass_fields__)}")
        for name, most in _LIMITS.items():
            if not (value[name] is None and name in _OPTIONAL):
                _check_count(name, value[name], most)
        if value["tail"] not in ("", TRUNCATED, GARBAGE):
            raise BadSummary(f"tail is {value['tail']!r:.50}; allowed: '', '{TRUNCATED}', '{GARBAGE}'")
        text = value["tail_text"]
        if not isinstance(text, str) or len(text) > MOST_TEXT or not text.isprintable():
            raise BadSummary(f"tail_text is no line of at most {MOST_TEXT} characters")
        return cls(**{**value, "ranges": _ranges(value["ranges"]), "sources": _sources(value["sources"])})


MOST_TEXT, MOST_SOURCES = 500, 256 * 257 + 1
_OPTIONAL = {"first_event": (1 << 32) - 1, "last_event": (1 << 32) - 1, "first_time": (1 << 48) - 1}
_OPTIONAL["last_time"] = _OPTIONAL["first_time"]
_COUNTS = ("size", "frames", "ranges_dropped", "missing", "numbers_back", "times_back", "largest_step", "tail_at")
_LIMITS = {**_OPTIONAL, **dict.fromkeys(_COUNTS, MOST)}


class BadSummary(ValueError):
    """What was to be a summary is none; the text names the field and what is allowed."""


def _check_count(name: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadSummary(f"{name} is {value!r:.50}; allowed: whole numbers from 0 to {most}")
    return value


def _ranges(value: object) -> list[tuple[int, int]]:
    if not isinstance(value, list) or len(value) > MOST_RANGES:
        raise BadSummary(f"ranges is no list of at most {MOST_RANGES} pairs")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadSummary(f"ranges has {pair!r:.50}; allowed: pairs of event numbers")
        _check_count("ranges", pair[0], pair[1] if isinstance(pair[1], int) else -1)
        _check_count("ranges", pair[1], _OPTIONAL["last_event"])
    return [(first, last) for first, last in value]


def _sources(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > MOST_SOURCES:
        raise BadSummary(f"sources is no object of at most {MOST_SOURCES} names")
    for name, frames in value.items():
        if not isinstance(name, str) or not re.fullmatch(r"CoBo\d{1,3}_(AsAd\d{1,3}|topology)|MuTanT", name, re.ASCII):
            raise BadSummary(f"sources has {name!r:.50}; allowed: CoBo<c>_AsAd<a>, CoBo<c>_topology, MuTanT")
        _check_count(f"sources: {name}", frames, MOST)
    return dict(value)
