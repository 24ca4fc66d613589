"""File names as the data router makes them (facts 4)."""

import re
from dataclasses import dataclass
from datetime import datetime

from get_protocol.errors import LocalProtocolError, RemoteProtocolError

ROLLOVER_BYTES = 1073741824
"""A file that has grown beyond this is followed by the next index."""

_FIRST_MUTANT_COBO = 100
_MOST_LATE = 9999
_NAME = re.compile(
    r"(?:CoBo(?P<cobo>\d{1,3})_AsAd(?P<asad>\d{1,3})|MuTanT)_"
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})_(?P<index>\d{4,6})(?:_late(?P<late>[1-9]\d{0,3}))?\.graw",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class GrawName:
    """Parts of a file name; `timestamp` is the node's local time, without a zone."""

    source: str
    cobo: int | None
    asad: int | None
    timestamp: datetime
    index: int
    late: int = 0
    """Above 0: it came after the file of the same name had been moved, and lies beside it (see `late_name`)."""


def graw_name(cobo: int | None, asad: int | None, timestamp: datetime, index: int) -> str:
    """Name for the frames of one AsAd; without a CoBo, or from CoBo 100 on, the MuTAnT's (facts 4)."""
    if index < 0 or (cobo is not None and (cobo < 0 or asad is None or asad < 0)):
        raise LocalProtocolError(f"cobo {cobo!r}, asad {asad!r}, index {index!r}; allowed: 0 and up")
    time = timestamp.replace(tzinfo=None).isoformat(timespec="milliseconds")
    source = "MuTanT" if cobo is None or cobo >= _FIRST_MUTANT_COBO else f"CoBo{cobo}_AsAd{asad}"
    return f"{source}_{time}_{index:04d}.graw"


def late_name(name: str, number: int) -> str:
    """Name beside `name`, sorted right after it, for a file of the same name that came later; `number` from 1."""
    if not name.endswith(".graw") or not 1 <= number <= _MOST_LATE:
        raise LocalProtocolError(f"late file {number!r} of {name!r}; allowed: 1 to {_MOST_LATE} of a .graw file")
    return f"{name.removesuffix('.graw')}_late{number}.graw"


def parse_graw_name(name: str) -> GrawName:
    """Parts of `name`; RemoteProtocolError if no data router made it, and it is none of `late_name`."""
    match = _NAME.fullmatch(name)
    if not match:
        raise RemoteProtocolError(
            f"file name {name[:100]!r}; expected CoBo<c>_AsAd<a>_<time>_<index>.graw or MuTanT_<time>_<index>.graw"
        )
    try:
        timestamp = datetime.fromisoformat(match["time"])
    except ValueError:
        raise RemoteProtocolError(f"file name {name!r} has the impossible time {match['time']}") from None
    cobo, asad = (None if match[key] is None else int(match[key]) for key in ("cobo", "asad"))
    source = "MuTanT" if cobo is None else f"CoBo{cobo}"
    return GrawName(source, cobo, asad, timestamp, int(match["index"]), int(match["late"] or 0))
