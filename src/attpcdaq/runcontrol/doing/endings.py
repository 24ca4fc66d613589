"""The ends of a command, each by compare-and-set: its steps, its event, its line in the audit trail, and its run."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome as AuditOutcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import RunState
from get_protocol.state_machine import Transition

logger = logging.getLogger(__name__)
SUPERSEDED = "A Stop came first. Nothing was sent."
EXPIRED = "No worker took it in time, so nothing was sent. Is the Celery worker running?"
NOT_TAKEN_ON = (
    "The worker that carried it out is gone, and no other took it on in time; the state shown is what the hardware "
    "says. Is the Celery worker running?"
)
VANISHED = "Every worker that carried it out is gone; the state shown is what the hardware says."
BROKEN_OFF = "What came of it was not recorded; the state shown is what the hardware says."
ENDED_BEFORE = "The command ended before. Nothing was sent."


def finish(command_id: UUID, claim: UUID, state: str, message: str, now: datetime) -> bool:
    """End a command that is under way, by whoever holds its claim; False when somebody else has it or had ended it."""
    return _end(command_id, claim, state, message, now) is not None


@transaction.atomic
def break_off(command_id: UUID, claim: UUID | None, why: str, now: datetime) -> bool:
    """End a command whose executor failed or is gone; its run is settled as far as that is certain."""
    return _leave(_end(command_id, claim, CommandState.FAILED, why, now), why, now)


@transaction.atomic
def drop(command: Command, now: datetime, claim: UUID | None = None) -> bool:
    """End a superseded command that nobody (or just this claim) has begun; False when somebody else is at it."""
    return _leave(_end(command.pk, claim, CommandState.FAILED, SUPERSEDED, now), SUPERSEDED, now)


@transaction.atomic
def expire(command: Command, now: datetime, claim: UUID | None = None) -> bool:
    """End a command whose time has passed before anybody began it; False when somebody took it after all."""
    why = NOT_TAKEN_ON if command.revivals else EXPIRED
    return _leave(_end(command.pk, claim, CommandState.EXPIRED, why, now), why, now)


@transaction.atomic
def _end(command_id: UUID, claim: UUID | None, state: str, message: str, now: datetime) -> Command | None:
    """The command, ended; None when it was not queued (without a claim) or in the hands of this claim."""
    before = CommandState.QUEUED if claim is None else CommandState.RUNNING
    mine = Command.objects.filter(pk=command_id, claim=claim, state=before)
    if not mine.update(state=state, message=message, finished_at=now):
        return None
    steps = Step.objects.filter(command_id=command_id)
    # A step that stayed "sent" would forbid every later call to its server.
    steps.filter(state=StepState.SENT).update(state=StepState.FAILED, message=BROKEN_OFF, finished_at=now)
    left, why = (StepState.EXPIRED, "") if state == CommandState.EXPIRED else (StepState.SKIPPED, _said(message))
    steps.filter(state=StepState.WAITING).update(state=left, message=why, finished_at=now)
    command = Command.objects.get(pk=command_id)
    _tell(command, now)
    return command


def whom(targets: Sequence[str] | None) -> str:
    """Whom a command is for, in words."""
    return "the whole system" if targets is None else ", ".join(targets)


def _said(message: str) -> str:
    return SUPERSEDED if message == SUPERSEDED else ENDED_BEFORE


def _tell(command: Command, now: datetime) -> None:
    """What everybody reads of the end, and the line in the audit trail."""
    done = command.state == CommandState.DONE
    label = command.get_action_display()
    words = f"{label} {command.get_state_display().lower()}"
    text = f"{words}: {command.message}" if command.message else words
    ids = {"command": command.pk, "request_id": command.request_id}
    transaction.on_commit(partial(logger.info, "%s", text, extra=ids))
    add_event("command", text, subject=label, severity="info" if done else "error", at=now)
    trail.record(
        Requester(command.requested_by, origin=command.origin, request_id=command.request_id),
        command.action,
        AuditOutcome.DONE if done else AuditOutcome.FAILED,
        subject=whom(command.targets),
        text=text,
        command=command.pk,
        at=now,
    )


def _leave(command: Command | None, why: str, now: datetime) -> bool:
    """Whether it was ended; the run of a Start goes with it, unless it may have taken data: that the hardware says."""
    if command is not None and command.opens_run and command.run_id is not None:
        add_verdict(command.run_id, why)
        if not may_have_frames(command.run_id):
            advance(command.run_id, RunState.FAILED, now)
    return command is not None


def may_have_frames(run_id: int) -> bool:
    """Whether a frame may have been taken for this run: a Start has left, or a board was found Running already."""
    starts = Step.objects.filter(command__run=run_id, transition=Transition.START)
    return starts.filter(Q(sent_at__isnull=False) | Q(state=StepState.CONFIRMED)).exists()
