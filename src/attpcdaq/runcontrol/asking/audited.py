"""A decision that leaves a line in the audit trail whatever comes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.asking.gate import hold_gate
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused


@contextmanager
def recorded(by: Requester, what: str, subject: str, now: datetime) -> Iterator[None]:
    """A transaction; a refusal is recorded after it, with its reasons, and passes on."""
    try:
        with transaction.atomic():
            yield
    except (BadCommand, CommandRefused) as refusal:
        record(by, what, Outcome.REFUSED, subject=subject, text=str(refusal), at=now)
        raise


@contextmanager
def deciding(by: Requester, what: str, subject: str, now: datetime) -> Iterator[None]:
    """The same while holding the gate, for who is in charge or may be."""
    with recorded(by, what, subject, now):
        hold_gate()
        control.check(by, now)
        yield
