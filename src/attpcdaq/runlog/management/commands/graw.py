"""`manage.py graw FILE...`: what is in data files, from their frame headers."""

import json
import os
import stat
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from attpcdaq.gateways.file_scan import FileReader
from attpcdaq.gateways.node_program import every_piece, mapped_pieces
from attpcdaq.gateways.ports import FileScan
from attpcdaq.runlog import graw_words


class Command(BaseCommand):
    help = "Tell what is in data files from their frame headers. Exit status 1 when one is not whole. Uses no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
        parser.add_argument("--checksum", action="store_true", help="read all of each file for its SHA-256")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look into each file, then tell."""
        paths: list[str] = options["files"]
        found: dict[str, FileScan | str] = {}
        total = sum(_size(path) for path in paths)
        with tqdm(total=total, unit="B", unit_scale=True, disable=None, leave=False) as progress:
            for path in paths:
                progress.set_description(shown(Path(path).name))
                found[path] = look(path, options["checksum"], progress)
        (self._tell_json if options["json"] else self._tell)(found)
        if any(isinstance(one, str) or one.summary.tail for one in found.values()):
            sys.exit(1)

    def _tell(self, found: dict[str, FileScan | str]) -> None:
        scans = {path: one for path, one in found.items() if isinstance(one, FileScan)}
        if scans:
            self.stdout.write(graw_words.table({shown(path): one.summary for path, one in scans.items()}))
        for path, one in scans.items():
            if one.sha256:
                self.stdout.write(f"{one.sha256}  {shown(path)}")
        for path, result in found.items():
            for problem in [result] if isinstance(result, str) else graw_words.problems(path, result.summary):
                self.stdout.write(f"{shown(path)}: {problem}")

    def _tell_json(self, found: dict[str, FileScan | str]) -> None:
        for path, one in found.items():
            told: dict[str, Any] = {"file": path}
            if isinstance(one, str):
                told |= {"error": one}
            else:
                told |= {"sha256": one.sha256 or None, "summary": one.summary.to_json()}
                told |= {"problems": graw_words.problems(path, one.summary)}
            self.stdout.write(json.dumps(told))


def look(path: str, checksum: bool, progress: "tqdm[Any]") -> FileScan | str:
    """What the file is, or why it cannot be read."""
    reader = FileReader(checksum)
    try:
        # Opening a pipe must not wait for a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return "is no regular file"
            for piece in (every_piece if checksum else mapped_pieces)(file, found.st_size):
                reader.take(piece)
                progress.update(len(piece))
    except OSError as error:
        return str(error.strerror)
    return reader.result()


def shown(path: str) -> str:
    """A path that cannot play tricks on a terminal."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
