"""Bytes of a log as lines that can be shown: any encoding, any length, nothing in them that does anything."""

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

MOST_CHARACTERS = 2000
HEAD, TAIL = 1600, 300
"""Of a line that is longer, so much of its beginning and of its end is shown."""
ERROR, WARNING = "error", "warning"

# Only what is whole: nobody hides the rest of a line behind the beginning of one.
ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|[PX^_][^\x1b]{0,300}\x1b\\|[ -/]*[0-Z\\^-~])"
)
# (HH:MM:SS - DD/MM/YYYY) LEVEL - text: an ECC server (facts 6).
ECC_LINE = re.compile(r"\s*\(\d\d:\d\d:\d\d - [\d/]+\) +([A-Z]+) +- ")
ECC_LEVELS = {"WARN": WARNING, "WARNING": WARNING} | dict.fromkeys(("ERROR", "CRIT", "ALERT", "FATAL", "EMERG"), ERROR)
# Two signs and a blank: a data router (facts 4).
ROUTER_LINE = re.compile(r"\s*(--|==|!!|\*\*|##)(?: |$)")
ROUTER_LEVELS = {"!!": WARNING, "**": ERROR, "##": ERROR}
HARMLESS = re.compile(
    r"\b(?:no|0|without|any) (?:errors?|warnings?|failures?)\b|\b(?:errors?|failed)\s*[:=]\s*0\b", re.IGNORECASE
)
ERROR_WORDS = re.compile(
    r"\b(?:errors?|fatal|critical|panic|fail(?:s|ed|ures?)?|(?:un)?caught|exception|traceback|abort(?:ed|ing)?|assertion"
    r"|segmentation fault|cannot|could not|can't|refused|denied|no space left)\b|(?<=[a-z])(?:Error|Exception)\b",
    re.IGNORECASE,
)
WARNING_WORDS = re.compile(
    r"\b(?:warn(?:ing)?s?|time(?:d )?-?out|retry(?:ing)?|lost|dropp(?:ed|ing)|overflow|stale)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it begins in the file (bytes), what it says, how bad that is, and what is not shown of it."""

    at: int
    text: str
    level: str = ""
    left_out: int = 0
    """Characters in its middle."""
    times: int = 1
    """As often it stands there, one written over the other."""
    has_head: bool = True
    """Its beginning lies before what was read."""


class Piece(NamedTuple):
    """One line as it lies in the file, before anybody has made sense of it: that costs much more than finding it."""

    data: bytes
    at: int
    times: int
    has_head: bool
    is_whole: bool


def pieces_of(data: bytes, begin: int, *, has_head: bool) -> list[Piece]:
    """The lines in bytes of a file that lie at `begin`; without `has_head` they begin within a line."""
    found: list[Piece] = []
    at = begin
    *ended, rest = data.split(b"\n")
    for line in ended:
        if has_head and b"\r" not in line:  # nearly every one
            found.append(Piece(line, at, 1, has_head, is_whole=True))
        else:
            found += _pieces(line, at, has_head, has_end=True)
        at, has_head = at + len(line) + 1, True
    return found + list(_pieces(rest, at, has_head, has_end=False)) if rest else found


def end_of_lines(data: bytes, begin: int) -> int:
    """Where the line begins that has no end yet."""
    return begin + data.rfind(b"\n") + 1


def _pieces(line: bytes, at: int, has_head: bool, *, has_end: bool) -> Iterator[Piece]:
    """A carriage return begins a line anew: what is the same again and again is told once (facts 4)."""
    half = 0 if has_head else _half_a_character(line)
    line, at = line[half:], at + half
    body = line.rstrip(b"\r")
    has_end = has_end or len(body) < len(line)
    parts = [(part, len(list(same))) for part, same in groupby(body.split(b"\r"))]
    for number, (part, times) in enumerate(parts, 1):
        if part or len(parts) == 1:
            yield Piece(part, at, times, has_head, has_end or number < len(parts))
        at, has_head = at + times * (len(part) + 1), True


def _half_a_character(data: bytes) -> int:
    """Bytes at the beginning that belong to a character of UTF-8 whose beginning is not there: three at most."""
    return next((n for n, byte in enumerate(data[:3]) if not 0x80 <= byte < 0xC0), min(len(data), 3))


def line_of(piece: Piece) -> Line:
    """As it can be shown."""
    text = shown(decoded(piece.data, whole=piece.is_whole))
    left_out = len(text) - HEAD - TAIL if len(text) > MOST_CHARACTERS else 0
    level = level_of(text)
    if left_out:
        text = f"{text[:HEAD]} … {text[-TAIL:]}"
    return Line(piece.at, text, level, left_out, piece.times, piece.has_head)


def decoded(data: bytes, *, whole: bool = True) -> str:
    """UTF-8, else Latin-1; of a line that is still being written half a character at its end is left out."""
    try:
        return getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def shown(text: str) -> str:
    """Without escape codes; every other character that cannot be seen as a sign that can."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _sign(c) for c in ESCAPES.sub("", text))


def _sign(character: str) -> str:
    """As `cat -v` writes the control characters of ASCII: ^@ is a NUL, ^[ an escape, ^? a delete."""
    if character <= "\x1f" or character == "\x7f":
        return f"^{chr(ord(character) ^ 0x40)}"
    return " " if unicodedata.category(character) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def level_of(text: str) -> str:
    """`error`, `warning` or nothing: what the line says of itself, else what its words say."""
    if found := ECC_LINE.match(text):
        return ECC_LEVELS.get(found[1], "")
    if found := ROUTER_LINE.match(text):
        return ROUTER_LEVELS.get(found[1], "")
    text = HARMLESS.sub("", text)
    return ERROR if ERROR_WORDS.search(text) else WARNING if WARNING_WORDS.search(text) else ""
