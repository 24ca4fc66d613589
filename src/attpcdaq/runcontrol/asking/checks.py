"""Asking for the files of a run to be read once more, from the first to the last."""

from datetime import datetime
from functools import partial

from django.db import transaction

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.audited import recorded
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Manifest, Run

WHAT = "check files"


def check_again(run: Run, by: Requester, now: datetime) -> None:
    """What was read of its files is forgotten and read again; who is in charge does not matter. CommandRefused."""
    with recorded(by, WHAT, str(run), now):
        reason = _why_not(run)
        if reason:
            raise CommandRefused((reason,))
        manifests.ask(run.pk, now, all_over=True)
        record(by, WHAT, Outcome.ACCEPTED, subject=str(run), at=now)
        transaction.on_commit(partial(publish.publish_check_files, run.pk))


def _why_not(run: Run) -> str:
    if run.is_open:
        return f"Run {run.number} is open: its files are checked after it is closed."
    if not manifests.data_files(run.pk).exists():
        return f"No data file belongs to run {run.number}."
    if Manifest.objects.filter(pk=run.pk, made_at=None).exists():
        return f"The files of run {run.number} are being checked already."
    return ""
