"""What the HTTP agent of a node answers, as values; nothing of it is trusted."""

import json
import math
import posixpath
from dataclasses import dataclass
from typing import Any, NoReturn

GB = 10**9
MAX_BYTES = 64 * 1024
MAX_TEXT = 1000
MOST_GB = 1e9
MOST_FILES = 10**9
# As psutil names them: a process that is there and will never write again by itself.
NOT_AT_WORK = frozenset({"", "none", "absent", "not running", "zombie", "dead", "stopped", "tracing-stop", "suspended"})


class BadStatus(ValueError):
    """It is not the JSON of an agent; the text names the field and what should be there."""


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """One answer, in bytes; `written` since anybody last asked, negative where files went away."""

    process: str
    data_path: str
    written: int
    files: int
    free: int
    total: int

    @property
    def at_work(self) -> bool:
        return self.process.strip().lower() not in NOT_AT_WORK

    def watches(self, directory: str) -> bool:
        """Whether its data path is this directory, as far as a `~` in either lets it be told."""
        mine, other = posixpath.normpath(self.data_path), posixpath.normpath(directory)
        for one, another in ((mine, other), (other, mine)):
            if one.startswith("~/") and another.endswith(one[1:]):
                return True
        return mine == other


def parse_status(body: bytes) -> AgentStatus:
    """The answer to /status or /catalog; BadStatus names what is wrong with it."""
    if len(body) > MAX_BYTES:
        raise BadStatus(f"it is larger than {MAX_BYTES} bytes")
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadStatus(f"it is not JSON ({str(error)[:100]})") from None
    if not isinstance(found, dict):
        raise BadStatus("it is not a JSON object")
    return AgentStatus(
        process=_text(found, "process"),
        data_path=_text(found, "data_path"),
        written=_bytes(found, "data_written_gb", -MOST_GB),
        files=_count(found, "data_path_files"),
        free=_bytes(found, "disk_avail_gb", 0.0),
        total=_bytes(found, "disk_total_gb", 0.0),
    )


def shown(text: bytes | str) -> str:
    """Text from an agent as people may read it: one line, printable, not long."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    clean = "".join(c if c.isprintable() else " " for c in words[: 4 * MAX_TEXT])
    return " ".join(clean.split())[:300]


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise BadStatus(f"{key} must be a text of at most {MAX_TEXT} printable characters, not {_clip(value)}")
    return value


def _bytes(found: dict[str, Any], key: str, least: float) -> int:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST_GB:
        raise BadStatus(f"{key} must be a number from {least:g} to {MOST_GB:g}, not {_clip(value)}")
    return math.floor(value * GB)


def _count(found: dict[str, Any], key: str) -> int:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_FILES:
        raise BadStatus(f"{key} must be a whole number from 0 to {MOST_FILES}, not {_clip(value)}")
    return value


def _clip(value: object) -> str:
    if isinstance(value, dict | list):
        return f"a {type(value).__name__}"
    return shown(repr(value) if not isinstance(value, int) or abs(value) < 1 << 64 else "a huge number")[:60]
