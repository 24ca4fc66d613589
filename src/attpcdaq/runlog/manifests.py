"""What is proven of a run's data: asked for, worked at, made; the one writer of Manifest and of what files hold."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Manifest, Quarantined, Run, RunFile, RunState
from attpcdaq.runlog.quarantine import may_be_of

TOPIC = "manifest"
GONE = "there is no such file"
"""The problem of a file that does not lie where it was put."""
AGAIN_AFTER = timedelta(seconds=60)
"""A node that was away is tried so often."""
GIVEN_UP_AFTER = timedelta(days=1)
TOGETHER = timedelta(seconds=30)
UNMADE: dict[str, Any] = {"verdict": "", "reasons": [], "sources": [], "written": {}, "made_at": None, "again_at": None}
UNREAD: dict[str, Any] = {
    "sha256": "",
    "frames": None,
    "first_event": None,
    "last_event": None,
    "first_time": None,
    "last_time": None,
    "scan": None,
    "scanned_at": None,
    "scan_problem": "",
}
SCAN_FIELDS = list(UNREAD)


@transaction.atomic
def ask(run_id: int, now: datetime, *, all_over: bool = False) -> None:
    """The files of a run are to be checked, for the first time or anew: whoever is at it begins again.

    What could not be read is read again; `all_over`: every file is.
    """
    _, created = Manifest.objects.get_or_create(run_id=run_id, defaults={"asked_at": now})
    if not created:
        Manifest.objects.filter(pk=run_id).update(asked_at=now, **UNMADE)
        data_files(run_id).filter(Q() if all_over else Q(frames=None)).update(**UNREAD)
    add_event(TOPIC, subject=_subject(run_id), at=now)


def data_files(run_id: int) -> QuerySet[RunFile]:
    """What there is to read of a run."""
    return RunFile.objects.filter(run_id=run_id, kind=RunFile.Kind.DATA)


def unread(run_id: int) -> QuerySet[RunFile]:
    """What is still to be read: never, or its node was away."""
    return data_files(run_id).filter(scanned_at=None)


def due(now: datetime) -> QuerySet[Manifest]:
    """What is to be made and nobody is at, the latest run first: that is the one somebody waits for."""
    wanted = Q(made_at=None) | Q(again_at__lte=now)
    ended = Q(run__state__in=(RunState.CLOSED, RunState.FAILED))
    return Manifest.objects.filter(wanted, ended, working_at=None).order_by("-run_id")


CHECKING = "checking"


def manifest_of(run: Run) -> Manifest | None:
    """It has none before it is closed, nor if it was closed before manifests were made."""
    try:
        return run.manifest
    except Manifest.DoesNotExist:
        return None


def with_verdicts(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The same with what `verdict_on` needs, and without the tables of hundreds of sources that it does not."""
    return runs.select_related("manifest").defer("manifest__reasons", "manifest__sources", "manifest__written")


def verdict_on(run: Run) -> str:
    """The verdict on its data, `checking` while there is none yet, empty for a run that nobody was to check."""
    manifest = manifest_of(run)
    return "" if manifest is None else manifest.verdict or CHECKING


def at_work_or_due(now: datetime) -> dict[int, datetime | None]:
    """Runs whose manifest somebody is at, and when he last said so; those to be made have None.

    It reads nothing but an index: it is asked twice a second for ever.
    """
    wanted = Q(working_at__isnull=False) | Q(made_at=None) | Q(again_at__lte=now)
    return dict(Manifest.objects.filter(wanted).values_list("pk", "working_at"))


def ask_about_quarantine(now: datetime) -> None:
    """Runs that a file may be of which was put in quarantine since they were judged are judged anew."""
    newest = Quarantined.objects.first()
    if newest is None:
        return
    # Those that were put there together may be of several runs.
    lately = Quarantined.objects.filter(at__gt=newest.at - TOGETHER).order_by("at")
    for why, at in lately.values_list("why", "at").distinct():
        for manifest in Manifest.objects.filter(run_id__in=may_be_of(why, at), made_at__lt=at):
            ask(manifest.pk, now)


def claim(run_id: int, now: datetime) -> Manifest | None:
    """The manifest, when it is due and nobody is at any; the sweeper takes it from whoever falls silent."""
    try:
        with transaction.atomic():
            claimed = due(now).filter(pk=run_id).order_by().update(working_at=now)
    except IntegrityError:
        return None
    rows = Manifest.objects.select_related("run__experiment")
    return rows.get(pk=run_id) if claimed else None


def still_working(run_id: int, now: datetime) -> None:
    """Whoever claimed it is alive."""
    Manifest.objects.filter(pk=run_id, working_at__isnull=False).update(working_at=now)


def release(run_id: int) -> None:
    """Somebody else may go on."""
    Manifest.objects.filter(pk=run_id).update(working_at=None)


def take_from_silent(run_id: int, working_at: datetime) -> bool:
    """Nobody is at it any more, unless he has said otherwise since `working_at`."""
    return bool(Manifest.objects.filter(pk=run_id, working_at=working_at).update(working_at=None))


def note_read(files: Iterable[RunFile], now: datetime) -> None:
    """Store what was found in these files (their fields are set already)."""
    files = list(files)
    RunFile.objects.bulk_update(files, SCAN_FIELDS, batch_size=100)
    if files:
        add_event(TOPIC, subject=_subject(files[0].run_id), at=now)


def settle(asked: Manifest, now: datetime, **made: Any) -> bool:
    """It is made; False when files came meanwhile, so that it is to be made again."""
    same = Manifest.objects.filter(pk=asked.pk, asked_at=asked.asked_at)
    return bool(same.update(made_at=now, **made))


def again_at(asked: Manifest, now: datetime) -> datetime | None:
    """When a node that was away is tried again; None when it was long enough."""
    return now + AGAIN_AFTER if now - asked.asked_at < GIVEN_UP_AFTER else None


def _subject(run_id: int) -> str:
    return str(Run.objects.select_related("experiment").get(pk=run_id))
