"""What an execution writes as it goes: claims, steps and results, each by compare-and-set."""

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from attpcdaq.live.labels import transition_label
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runcontrol.step import Outcome

OUTSTANDING = "Another call to this ECC server is still outstanding. Nothing was sent."
SUPERSEDED = "A Stop came first. Nothing was sent."
CLOCKS_DIFFER = timedelta(seconds=5)
EXPIRED = "No worker took it in time, so nothing was sent. Is the Celery worker running?"
BROKEN_OFF = "What came of it was not recorded; the state shown is what the hardware says."


def in_time(now: datetime) -> Q:
    """Commands that may be begun now; not those of a future that a clock which stepped back came from."""
    return Q(expires_at__gt=now, requested_at__lte=now + CLOCKS_DIFFER)


def claim(command_id: UUID, now: datetime, who: str = "") -> bool:
    """Take a queued command that has not expired; exactly one caller gets True."""
    claimed = Command.objects.filter(in_time(now), pk=command_id, state=CommandState.QUEUED, superseded=False).update(
        state=CommandState.RUNNING,
        claimed_by=(who or f"{socket.gethostname()}:{os.getpid()}")[:100],
        claimed_at=now,
        heartbeat_at=now,
    )
    if claimed:
        add_event("command", at=now)
    return bool(claimed)


def heartbeat(command_id: UUID, now: datetime) -> None:
    """Say that its executor lives."""
    Command.objects.filter(pk=command_id, state=CommandState.RUNNING).update(heartbeat_at=now)


class _NotAllError(Exception):
    """Some of the steps may not be sent: each is looked at alone."""


def mark_sent(steps: Sequence[Step], now: datetime) -> list[str]:
    """Record that these calls are about to leave; for each the reason why it must not, or nothing."""
    try:
        _mark_all(steps, now)
    except (IntegrityError, _NotAllError):
        return [_mark_one(step, now) for step in steps]
    return [""] * len(steps)


def _mark_all(steps: Sequence[Step], now: datetime) -> None:
    ids = [step.pk for step in steps]
    waiting = Step.objects.filter(pk__in=ids, state=StepState.WAITING)
    with transaction.atomic():
        # Locked, so that a Stop either is seen here, or comes after these calls and sees them.
        command = Command.objects.select_for_update().only("superseded").get(pk=steps[0].command_id)
        if command.superseded or waiting.update(state=StepState.SENT, sent_at=now) != len(steps):
            raise _NotAllError
        add_event("command", at=now)


def _mark_one(step: Step, now: datetime) -> str:
    try:
        _mark_all([step], now)
    except IntegrityError:
        return OUTSTANDING
    except _NotAllError:
        return _why_not_sent(step)
    return ""


def _why_not_sent(step: Step) -> str:
    superseded = Command.objects.filter(pk=step.command_id, superseded=True).exists()
    return SUPERSEDED if superseded else "It was given up before it was sent."


def outstanding(step: Step) -> QuerySet[Step]:
    """Another command's call to the same ECC server, of which nobody has recorded what became."""
    return Step.objects.filter(ecc_server_id=step.ecc_server_id, state=StepState.SENT).exclude(pk=step.pk)


def take_over(step: Step, now: datetime) -> None:
    """A Stop does not wait for ever for another call's record: the other one's outcome is left unknown."""
    outstanding(step).update(
        state=StepState.EXPIRED, message="A Stop took over; its outcome is unknown.", finished_at=now
    )


@transaction.atomic
def finish_steps(finished: Sequence[tuple[Step, Outcome]], now: datetime) -> list[None]:
    """Record what became of steps; a failure is an event with its text. Nothing to tell of each."""
    alike: dict[tuple[str, str], list[int]] = {}
    for step, outcome in finished:
        state = _step_state(outcome)
        alike.setdefault((state, outcome.message), []).append(step.pk)
        if state == StepState.FAILED:
            text = f"{transition_label(step.transition)} failed: {outcome.message}"
            add_event("command", text, subject=step.server_name, severity="error", at=now)
    for (state, message), ids in alike.items():
        unfinished = Step.objects.filter(pk__in=ids, state__in=(StepState.WAITING, StepState.SENT))
        unfinished.update(state=state, message=message, finished_at=now)
    add_event("command", at=now)
    return [None] * len(finished)


def _step_state(outcome: Outcome) -> str:
    if outcome.message == SUPERSEDED:
        return StepState.SKIPPED
    return StepState.CONFIRMED if outcome.ok else StepState.FAILED


def skip_waiting(command_id: UUID, why: str, now: datetime) -> None:
    """Nothing more is sent for this command."""
    waiting = Step.objects.filter(command_id=command_id, state=StepState.WAITING)
    waiting.update(state=StepState.SKIPPED, message=why, finished_at=now)


def finish(command_id: UUID, state: str, message: str, now: datetime) -> bool:
    """End a command that is under way, and what is left of its steps; False when it was ended already."""
    with transaction.atomic():
        ended = Command.objects.filter(pk=command_id, state=CommandState.RUNNING).update(
            state=state, message=message, finished_at=now
        )
        if ended:
            # A step that stayed "sent" would forbid every later call to its server.
            sent = Step.objects.filter(command_id=command_id, state=StepState.SENT)
            sent.update(state=StepState.FAILED, message=BROKEN_OFF, finished_at=now)
            skip_waiting(command_id, "The command ended before. Nothing was sent.", now)
            command = Command.objects.get(pk=command_id)
            severity = "info" if state == CommandState.DONE else "error"
            text = f"{command.get_action_display()} {command.get_state_display().lower()}"
            add_event("command", f"{text}: {message}" if message else text, severity=severity, at=now)
    return bool(ended)


def drop_unclaimed(command_id: UUID, now: datetime) -> bool:
    """End a superseded command that nobody had begun; False when somebody had."""
    queued = Command.objects.filter(pk=command_id, state=CommandState.QUEUED)
    dropped = queued.update(state=CommandState.FAILED, message=SUPERSEDED, finished_at=now)
    if dropped:
        skip_waiting(command_id, SUPERSEDED, now)
        add_event("command", at=now)
    return bool(dropped)


def expire(command: Command, now: datetime) -> bool:
    """End a queued command whose time has passed, with its steps; False when somebody took it after all."""
    queued = Command.objects.filter(pk=command.pk, state=CommandState.QUEUED)
    expired = queued.update(state=CommandState.EXPIRED, message=EXPIRED, finished_at=now)
    if expired:
        command.steps.filter(state=StepState.WAITING).update(state=StepState.EXPIRED, finished_at=now)
        label = command.get_action_display()
        add_event("command", f"{label} expired: {EXPIRED}", subject=label, severity="error", at=now)
    return bool(expired)


@transaction.atomic
def revive(command_id: UUID, silent_since: datetime) -> bool:
    """Queue a Stop whose executor is silent again: whoever takes it reads every state before it sends."""
    silent = Command.objects.filter(pk=command_id, state=CommandState.RUNNING, heartbeat_at__lte=silent_since)
    revived = silent.update(state=CommandState.QUEUED, claimed_by="")
    if revived:
        Step.objects.filter(command_id=command_id, state=StepState.SENT).update(state=StepState.WAITING)
    return bool(revived)
