"""What is new in the end of a log since somebody saw it, although the file may be another one by now.

A cursor says up to where somebody has seen it, and proves by a checksum of the bytes before that it is still that file:
SFTP tells of no inode.
"""

import re
from dataclasses import dataclass
from zlib import crc32

from attpcdaq.live.log_text import Line, end_of_lines, line_of, pieces_of

CURSOR = r"^(?:[0-9]{1,18}-[0-9]{1,3}-[0-9a-f]{1,8}-[0-9]{1,18}-[0-9]{1,12})?$"
PROOF_BYTES = 256
MOST_LINES = 2000
_FORM = re.compile(CURSOR)


class BadCursor(ValueError):
    """It is none that we gave out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything before `at` was seen; the `proof` bytes before it have this checksum. Size and time of the file."""

    at: int = 0
    proof: int = 0
    checksum: int = 0
    size: int = -1
    modified: int = 0

    def __str__(self) -> str:
        return f"{self.at}-{self.proof}-{self.checksum:x}-{self.size}-{self.modified}"


@dataclass(frozen=True, slots=True)
class News:
    """What to show instead of all that was seen at `begin` and after it; `missed` bytes lie between."""

    lines: tuple[Line, ...]
    begin: int
    cursor: Cursor
    is_anew: bool = False
    """It is another file, or was emptied: what was seen is of an older one."""
    missed: int = 0
    left_out: int = 0
    """Lines before these that are too many to show."""


def parse(text: str) -> Cursor | None:
    """None for an empty text: nothing was seen. BadCursor."""
    if not text:
        return None
    if not _FORM.fullmatch(text):
        raise BadCursor(f"{text[:80]!r} is no cursor: give the one of the last answer, or none")
    at, proof, checksum, size, modified = text.split("-")
    return Cursor(int(at), int(proof), int(checksum, 16), int(size), int(modified))


def news(data: bytes, size: int, modified: float | None, seen: Cursor | None) -> News:
    """What stands in the last bytes of a file of `size` bytes that was not seen yet; a line without end comes again."""
    begin = size - len(data)
    is_anew = seen is not None and not _is_same(data, begin, size, seen)
    if seen is None or is_anew:
        found, start, missed = pieces_of(data, begin, has_head=begin == 0), begin, 0
    else:
        start, missed = seen.at, max(0, begin - seen.at)
        is_line = not missed and (seen.proof > 0 or seen.at == 0)
        found = pieces_of(data[max(0, start - begin) :], max(start, begin), has_head=is_line)
        # The rest of a line whose beginning nobody has read: nothing that could be shown lies between.
        missed = missed if seen.proof else 0
    return News(
        tuple(line_of(piece) for piece in found[-MOST_LINES:]),
        start,
        _cursor(data, begin, size, modified),
        is_anew=is_anew,
        missed=missed,
        left_out=max(0, len(found) - MOST_LINES),
    )


def _is_same(data: bytes, begin: int, size: int, seen: Cursor) -> bool:
    """Whether nothing speaks against it; what was read no more cannot be compared."""
    if size < seen.at:
        return False
    first = seen.at - seen.proof - begin
    return first < 0 or crc32(data[first : seen.at - begin]) == seen.checksum


def _cursor(data: bytes, begin: int, size: int, modified: float | None) -> Cursor:
    at = end_of_lines(data, begin)
    proof = min(PROOF_BYTES, at - begin)
    return Cursor(at, proof, crc32(data[at - begin - proof : at - begin]), size, int(modified or 0))
