"""Bytes recorded from the real programs, and how to take them apart."""

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
CAPTURES = GOLDEN / "captures"


@dataclass(frozen=True)
class Message:
    """One recorded HTTP message."""

    start_line: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def status(self) -> int:
        return int(self.start_line.split()[1])


@cache
def recorded(folder: str, name: str) -> bytes:
    """A recorded file, whether it is stored as it was or compressed."""
    path = GOLDEN / folder / name
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())


def message(name: str) -> Message:
    raw = recorded("captures", name)
    head, _, body = raw.partition(b"\r\n\r\n")
    start_line, *lines = head.decode("ascii").split("\r\n")
    return Message(start_line, dict(line.split(": ", 1) for line in lines), body, raw)


def request(capture: str) -> Message:
    return message(f"{capture}.request.xml")


def response(capture: str) -> Message | None:
    """None where the real server closed without a byte."""
    name = f"{capture}.response.xml"
    return message(name) if recorded("captures", name) else None


def all_captures() -> list[str]:
    """Names of the recorded exchanges, in order."""
    return sorted(path.name.removesuffix(".request.xml") for path in CAPTURES.glob("*.request.xml"))
