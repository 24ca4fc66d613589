"""A run's manifest and files as its page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from attpcdaq.runlog.manifests import CHECKING, data_files
from attpcdaq.runlog.models import Run, RunFile

FILES_SHOWN = 20
LEVELS = {"complete": "ok", "remarks": "ok", "incomplete": "bad", "not_proven": "warn", CHECKING: "busy", "": "off"}
REASON_LEVELS = {"incomplete": "bad", "not_proven": "warn", "remarks": "off"}
NOT_AS_IT_SHOULD_BE = Q(scan_problem__gt="") | (Q(frames__isnull=False) & ~Q(scan__tail=""))
SHORT = 12
"""Figures of a checksum that are shown."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading has come, files and bytes."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file; `events` in words, `notes` what is not as it should be or is good to know."""

    kind: str
    node: str
    directory: str
    name: str
    size: int
    frames: int | None
    events: str
    sha256: str
    notes: tuple[str, ...]
    is_bad: bool

    @property
    def place(self) -> str:
        """Where it lies."""
        return f"{self.node}: {self.directory}/"

    @property
    def short_sha256(self) -> str:
        return self.sha256[:SHORT]


def progress_of(run: Run) -> Progress:
    """What of its data files was read, or tried."""
    read = Q(scanned_at__isnull=False) | Q(scan_problem__gt="")
    found = data_files(run.pk).aggregate(
        files=Count("id", filter=read), of_files=Count("id"), bytes=Sum("size", filter=read), of_bytes=Sum("size")
    )
    return Progress(**{name: value or 0 for name, value in found.items()})


def file_lines(run: Run, most: int | None) -> list[FileLine]:
    """Data before configuration, by node and path; of more than `most` those first that are not as they should be."""
    files = run.files.order_by("-kind", "node", "path")
    if most is None:
        return [_line(file) for file in files]
    bad = list(files.filter(NOT_AS_IT_SHOULD_BE)[:most])
    others = files.exclude(pk__in=[file.pk for file in bad])[: most - len(bad)]
    return [_line(file) for file in (*bad, *others)]


def _line(file: RunFile) -> FileLine:
    directory, _, name = file.path.rpartition("/")
    notes = list(_notes(file, name))
    bad = bool(file.scan_problem) or bool((file.scan or {}).get("tail")) or _changed(file)
    return FileLine(
        file.kind, file.node, directory, name, file.size, file.frames, _events(file), file.sha256, tuple(notes), bad
    )


def _events(file: RunFile) -> str:
    if file.first_event is None:
        return ""
    return str(file.first_event) if file.first_event == file.last_event else f"{file.first_event} to {file.last_event}"


def _changed(file: RunFile) -> bool:
    return file.scan is not None and file.scan.get("size") != file.size


def _notes(file: RunFile, name: str) -> Iterable[str]:
    scan = file.scan or {}
    if file.scan_problem:
        yield file.scan_problem
    if _changed(file):
        yield f"has {scan.get('size')} bytes now"
    if scan.get("tail"):
        yield f"{scan['tail']} {scan['tail_text']}"
    if file.name and file.name != name:
        yield f"came late, as {file.name}"
        if file.proof:
            yield file.proof
