"""What an execution writes as it goes: claims, steps and results, each by compare-and-set."""

import os
import socket
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from attpcdaq.live.labels import transition_label
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runcontrol.step import Outcome

OUTSTANDING = "Another call to this ECC server is still outstanding. Nothing was sent."
SUPERSEDED = "A Stop came first. Nothing was sent."


def claim(command_id: UUID, now: datetime, who: str = "") -> bool:
    """Take a queued command that has not expired; exactly one caller gets True."""
    claimed = Command.objects.filter(
        pk=command_id, state=CommandState.QUEUED, expires_at__gt=now, superseded=False
    ).update(
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


def mark_sent(step: Step, now: datetime) -> str:
    """Record that the call is about to leave; the reason why it must not, otherwise."""
    waiting = Step.objects.filter(pk=step.pk, state=StepState.WAITING, command__superseded=False)
    try:
        with transaction.atomic():
            if waiting.update(state=StepState.SENT, sent_at=now):
                add_event("command", subject=step.server_name, at=now)
                return ""
    except IntegrityError:
        return OUTSTANDING
    superseded = Command.objects.filter(pk=step.command_id, superseded=True).exists()
    return SUPERSEDED if superseded else "It was given up before it was sent."


def take_over(step: Step, now: datetime) -> None:
    """A Stop does not wait for ever for another call's record: the other one's outcome is left unknown."""
    other = Step.objects.filter(ecc_server_id=step.ecc_server_id, state=StepState.SENT).exclude(pk=step.pk)
    other.update(state=StepState.EXPIRED, message="A Stop took over; its outcome is unknown.", finished_at=now)


def finish_step(step: Step, outcome: Outcome, now: datetime) -> None:
    """Record what became of a step; a failure is an event with its text."""
    state = StepState.CONFIRMED if outcome.ok else StepState.FAILED
    if outcome.message == SUPERSEDED:
        state = StepState.SKIPPED
    open_states = (StepState.WAITING, StepState.SENT)
    Step.objects.filter(pk=step.pk, state__in=open_states).update(state=state, message=outcome.message, finished_at=now)
    failed = state == StepState.FAILED
    text = f"{transition_label(step.transition)} failed: {outcome.message}" if failed else ""
    add_event("command", text, subject=step.server_name, severity="error" if failed else "info", at=now)


def skip_waiting(command_id: UUID, why: str, now: datetime) -> None:
    """Nothing more is sent for this command."""
    waiting = Step.objects.filter(command_id=command_id, state=StepState.WAITING)
    waiting.update(state=StepState.SKIPPED, message=why, finished_at=now)


def finish(command_id: UUID, state: str, message: str, now: datetime) -> bool:
    """End a command that is under way; False when it was ended already."""
    with transaction.atomic():
        ended = Command.objects.filter(pk=command_id, state=CommandState.RUNNING).update(
            state=state, message=message, finished_at=now
        )
        if ended:
            command = Command.objects.get(pk=command_id)
            severity = "info" if state == CommandState.DONE else "error"
            text = f"{command.get_action_display()} {command.get_state_display().lower()}"
            add_event("command", f"{text}: {message}" if message else text, severity=severity, at=now)
    return bool(ended)


def drop_unclaimed(command_id: UUID, now: datetime) -> None:
    """End a superseded command that nobody had begun."""
    queued = Command.objects.filter(pk=command_id, state=CommandState.QUEUED)
    if queued.update(state=CommandState.FAILED, message=SUPERSEDED, finished_at=now):
        skip_waiting(command_id, SUPERSEDED, now)
        add_event("command", at=now)


def expire(now: datetime) -> list[Command]:
    """End every queued command whose time has passed, with its steps; those that were ended."""
    late = Command.objects.filter(state=CommandState.QUEUED, expires_at__lte=now)
    expired = []
    for command in late:
        message = "No worker took it in time, so nothing was sent. Is the Celery worker running?"
        changed = Command.objects.filter(pk=command.pk, state=CommandState.QUEUED).update(
            state=CommandState.EXPIRED, message=message, finished_at=now
        )
        if changed:
            command.steps.filter(state=StepState.WAITING).update(state=StepState.EXPIRED, finished_at=now)
            label = command.get_action_display()
            add_event("command", f"{label} expired: {message}", subject=label, severity="error", at=now)
            command.state, command.message = CommandState.EXPIRED, message
            expired.append(command)
    return expired
