"""Who carries a command out: one execution at a time, named by its claim, and taken from it when it falls silent."""

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q

from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.doing import endings
from attpcdaq.runcontrol.doing.superseding import stop_came
from attpcdaq.runcontrol.limits import CLOCKS_DIFFER, EXPIRES_AFTER
from attpcdaq.runcontrol.models import Action, Command, CommandState, Step, StepState

STOP_EXPIRES_AFTER = timedelta(seconds=60)
MOST_REVIVALS = 3
# Longer than a database that is away for a minute; what was left alone for longer nobody takes on any more.
FORSAKEN_AFTER = timedelta(seconds=75)


class ClaimLostError(Exception):
    """Somebody else carries the command out, or it has ended: write nothing and send nothing more."""


def lifetime(action: str) -> timedelta:
    """How long a command may wait for somebody to begin it."""
    return STOP_EXPIRES_AFTER if action == Action.STOP else EXPIRES_AFTER


def in_time(now: datetime) -> Q:
    """Commands that may be begun now; not those of a future that a clock which stepped back came from.

    A Stop is wanted whatever the clock says: the sweeper's own eyes see to its end.
    """
    ahead = Q(expires_at__gt=now + EXPIRES_AFTER + CLOCKS_DIFFER) & ~Q(action=Action.STOP)
    return Q(expires_at__gt=now) & ~ahead


def claim(command_id: UUID, clock: Callable[[], datetime], who: str = "") -> UUID | None:
    """Take a queued command that has not expired; exactly one caller gets a claim, the others None."""
    mine, now = uuid4(), clock()
    queued = Command.objects.filter(in_time(now), pk=command_id, state=CommandState.QUEUED)
    claimed = queued.update(
        state=CommandState.RUNNING,
        claim=mine,
        claimed_by=(who or f"{socket.gethostname()}:{os.getpid()}")[:100],
        claimed_at=now,
        heartbeat_at=now,
    )
    if not claimed:
        return None
    command = Command.objects.get(pk=command_id)
    # Only now, when everybody can see the claim.
    if stop_came(command):
        endings.drop(command, clock(), mine)
        return None
    if command.expires_at <= clock():  # the database itself may have kept us waiting
        endings.expire(command, clock(), mine)
        return None
    _begin_again(command)
    return mine


def _begin_again(command: Command) -> None:
    """What an earlier execution noted as sent is looked up at the server first, like everything else."""
    Step.objects.filter(command=command, state=StepState.SENT).update(state=StepState.WAITING)
    add_event("command")


def heartbeat(command_id: UUID, mine: UUID, now: datetime) -> None:
    """Say that its executor lives."""
    Command.objects.filter(pk=command_id, claim=mine, state=CommandState.RUNNING).update(heartbeat_at=now)


def is_mine(command_id: UUID, mine: UUID) -> bool:
    """Whether this execution still has the command."""
    return Command.objects.filter(pk=command_id, claim=mine, state=CommandState.RUNNING).exists()


def check(command_id: UUID, mine: UUID) -> None:
    """ClaimLostError when this execution does not have the command any more."""
    if not is_mine(command_id, mine):
        raise ClaimLostError(command_id)


def is_forsaken(command: Command, now: datetime) -> bool:
    """Whether nobody was at it for so long (a power cut) that going on would be a command that fires late."""
    beat = command.heartbeat_at
    return command.action != Action.STOP and (beat is None or now - beat > FORSAKEN_AFTER)


def revive(command: Command, now: datetime) -> bool:
    """Queue a command whose executor (its claim as in `command`) is silent; False when it was not so any more.

    Whoever takes it reads every server before it sends anything.
    """
    with transaction.atomic():
        row = Command.objects.select_for_update(skip_locked=True, no_key=True)
        silent = row.filter(pk=command.pk, claim=command.claim, heartbeat_at=command.heartbeat_at)
        if command.revivals >= MOST_REVIVALS or not silent.filter(state=CommandState.RUNNING).exists():
            return False
        Command.objects.filter(pk=command.pk).update(
            state=CommandState.QUEUED,
            claim=None,
            claimed_by="",
            revivals=F("revivals") + 1,
            published_at=now,
            expires_at=now + lifetime(command.action),
        )
        add_event("command", at=now)
    return True
