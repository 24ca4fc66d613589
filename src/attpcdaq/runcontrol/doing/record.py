"""What an execution writes of its steps as it goes, each by compare-and-set and only while it has the claim."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from attpcdaq.live.labels import transition_label
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.doing import claims
from attpcdaq.runcontrol.doing.endings import SUPERSEDED
from attpcdaq.runcontrol.doing.step import Outcome
from attpcdaq.runcontrol.doing.superseding import stop_came
from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runcontrol.proving import configs_kept
from get_protocol.state_machine import Transition

OUTSTANDING = "Another call to this ECC server is still outstanding. Nothing was sent."
GIVEN_UP = "It was given up before it was sent."


class _NotAllError(Exception):
    """Some of the steps may not be sent: each is looked at alone."""


def mark_sent(mine: UUID, steps: Sequence[Step], now: datetime) -> list[str]:
    """Record that these calls are about to leave; for each the reason why it must not, or nothing. ClaimLostError.

    First written and committed, then looked around: see superseding.
    """
    try:
        _mark_all(steps, now)
        reasons = [""] * len(steps)
    except (IntegrityError, _NotAllError):
        reasons = [_mark_one(step, now) for step in steps]
    marked = [step for step, reason in zip(steps, reasons, strict=True) if not reason]
    forbidden = look_around(mine, marked) if marked else ""
    return [reason or forbidden for reason in reasons]


def look_around(mine: UUID, noted: Sequence[Step]) -> str:
    """Why calls that were noted must not leave after all (they are noted no more); empty when they may."""
    try:
        claims.check(noted[0].command_id, mine)
        stop = noted[0].transition == Transition.STOP
        if stop or not stop_came(Command.objects.get(pk=noted[0].command_id)):
            return ""
    except claims.ClaimLostError:
        _take_back(noted)
        raise
    _take_back(noted)
    return SUPERSEDED


def _mark_all(steps: Sequence[Step], now: datetime) -> None:
    waiting = Step.objects.filter(pk__in=[step.pk for step in steps], state=StepState.WAITING)
    with transaction.atomic():
        if waiting.update(state=StepState.SENT, sent_at=now) != len(steps):
            raise _NotAllError
        add_event("command", at=now)


def _mark_one(step: Step, now: datetime) -> str:
    try:
        _mark_all([step], now)
    except IntegrityError:
        return OUTSTANDING
    except _NotAllError:
        return GIVEN_UP
    return ""


def _take_back(noted: Sequence[Step]) -> None:
    """They did not leave; what an earlier execution may have sent stays noted."""
    for step in noted:
        Step.objects.filter(pk=step.pk, state=StepState.SENT).update(state=StepState.WAITING, sent_at=step.sent_at)


def outstanding(step: Step) -> QuerySet[Step]:
    """Another command's call to the same ECC server, of which nobody has recorded what became."""
    return Step.objects.filter(ecc_server_id=step.ecc_server_id, state=StepState.SENT).exclude(pk=step.pk)


def take_over(step: Step, now: datetime) -> None:
    """A Stop does not wait for ever for another call's record: the other one's outcome is left unknown."""
    outstanding(step).update(
        state=StepState.EXPIRED, message="A Stop took over; its outcome is unknown.", finished_at=now
    )


def finish_steps(mine: UUID, finished: Sequence[tuple[Step, Outcome]], now: datetime) -> list[None]:
    """Record what became of steps; a failure is an event with its text. ClaimLostError. Nothing to tell of each."""
    claims.check(finished[0][0].command_id, mine)
    alike: dict[tuple[str, str], list[int]] = {}
    with transaction.atomic():
        for step, outcome in finished:
            state = _step_state(outcome)
            alike.setdefault((state, outcome.message), []).append(step.pk)
            if state == StepState.FAILED:
                text = f"{transition_label(step.transition)} failed: {outcome.message}"
                add_event("command", text, subject=step.server_name, severity="error", at=now)
        for (state, message), ids in alike.items():
            unfinished = Step.objects.filter(pk__in=ids, state__in=(StepState.WAITING, StepState.SENT))
            unfinished.update(state=state, message=message, finished_at=now)
        configs_kept.note(finished, now)
        add_event("command", at=now)
    return [None] * len(finished)


def _step_state(outcome: Outcome) -> str:
    if outcome.message == SUPERSEDED:
        return StepState.SKIPPED
    return StepState.CONFIRMED if outcome.ok else StepState.FAILED


def skip(steps: Sequence[Step], why: str, now: datetime) -> None:
    """Nothing is sent for these steps."""
    waiting = Step.objects.filter(pk__in=[step.pk for step in steps], state=StepState.WAITING)
    if waiting.update(state=StepState.SKIPPED, message=why, finished_at=now):
        add_event("command", at=now)


def say(command_id: UUID, mine: UUID, text: str, now: datetime) -> None:
    """What a command that is under way waits for, in words."""
    running = Command.objects.filter(pk=command_id, claim=mine, state=CommandState.RUNNING)
    if running.exclude(message=text).update(message=text):
        add_event("command", text, severity="warning", at=now)
