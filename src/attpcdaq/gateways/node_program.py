"""What a node runs to look into its data files: sizes, checksums and frames, as one JSON line per file.

It travels as a single file with the scanner (see node_program_file), so: standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from io import RawIOBase
from typing import Any

from get_protocol.graw_scan import Scanner

PIECE_BYTES, MAPPED_BYTES = 1 << 20, 1 << 26
TELL_EVERY_S = 0.5
"""Whoever listens hears that it is alive; when nobody does, writing fails and the program ends."""
NICENESS = 10
"""Taking data comes first, but who is busy must not stop it for ever. Linux derives the priority of reading from it."""


def main(arguments: Sequence[str]) -> int:
    """0 when each file was told of, whatever it is like."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-checksum", action="store_true")
    parser.add_argument("names", nargs="+", help="data files in the current directory")
    options = parser.parse_args(arguments)
    os.nice(NICENESS)
    teller = Teller()
    try:
        for name in options.names:
            teller.tell(look(name, not options.no_checksum, teller))
    except BrokenPipeError:
        # Nobody listens any more; closing standard output at the end must not complain of it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


class Teller:
    """Writes JSON lines, and now and then that reading goes on."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def tell(self, line: dict[str, Any]) -> None:
        """One line, at once."""
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self._told_at = time.monotonic()

    def going_on(self, done: int) -> None:
        """Bytes read of the present file, if nothing was told for a while."""
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self.tell({"read": done})


def look(name: str, checksum: bool, teller: Teller) -> dict[str, Any]:
    """Size, SHA-256 and summary of the file as it was when it was opened, or what is wrong with it."""
    try:
        # Opening a pipe must not wait for a writer.
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return {"name": name, "error": "it is no regular file"}
            return {"name": name, **read(file, found.st_size, checksum, teller)}
    except FileNotFoundError as error:
        return {"name": name, "error": str(error.strerror), "missing": True}
    except OSError as error:
        return {"name": name, "error": str(error.strerror)}


def read(file: RawIOBase, size: int, checksum: bool, teller: Teller) -> dict[str, Any]:
    """Its first `size` bytes, each read once."""
    scanner, digest, done = Scanner(), hashlib.sha256(), 0
    for piece in every_piece(file, size) if checksum else mapped_pieces(file, size):
        scanner.feed(piece)
        if checksum:
            digest.update(piece)
        done += len(piece)
        teller.going_on(done)
    sha256 = digest.hexdigest() if checksum else ""
    return {"size": done, "sha256": sha256, "summary": scanner.finish().to_json()}


def every_piece(file: RawIOBase, size: int) -> Iterator[memoryview]:
    """The bytes, one after the other."""
    space = memoryview(bytearray(PIECE_BYTES))
    while size > 0:
        count = file.readinto(space[:size])
        if not count:
            return
        yield space[:count]
        size -= count


def mapped_pieces(file: RawIOBase, size: int) -> Iterator[memoryview]:
    """The same, mapped: what nobody looks at is not read from the disk."""
    if not size:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
        for start in range(0, size, MAPPED_BYTES):
            with view[start : min(start + MAPPED_BYTES, size)] as piece:
                yield piece


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
