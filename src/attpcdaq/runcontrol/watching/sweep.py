"""What the monitor does beside reading: commands that nobody claimed, executors that died, runs left half closed."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import Error, connection

from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking import gate, restarts
from attpcdaq.runcontrol.doing import claims, endings
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.limits import EXPIRES_AFTER
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command, CommandState, Restart
from attpcdaq.runcontrol.watching import leftovers, manifests_due, reconcile
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runlog.models import Run, RunState

logger = logging.getLogger(__name__)
# Seconds by the sweeper's own eyes.
STOP_UNCLAIMED = 1.0
PUBLISH_AGAIN = 2.0
STOPPER_SILENT = 2.0
EXECUTOR_SILENT = 3.0
RESTARTER_SILENT = 5.0
CLOSE_OUT_AGAIN = 3.0
MOVER_SILENT = 4.0
OWN_EYES = Eyes()

RunStop = Callable[[UUID], object]


def sweep(now: datetime, run_stop: RunStop | None = None, eyes: Eyes = OWN_EYES) -> None:
    """One round; call it about twice a second. `run_stop` executes a Stop that no worker took.

    A fault of ours in one part keeps no other from its work and is raised in the end; without a database none can.
    """
    eyes.open()
    failed: list[Exception] = []
    for part in (
        lambda: _look_after_commands(now, run_stop or stop_in_thread, eyes),
        lambda: reconcile.reconcile(now),
        lambda: _close_out_again(now, eyes),
        lambda: look_after_restarts(now, eyes),
        lambda: _set_aside_again(now, eyes),
        lambda: leftovers.look_after(now, eyes),
        lambda: manifests_due.look_after(now, eyes),
    ):
        try:
            part()
        except Error:
            raise
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _look_after_commands(now: datetime, run_stop: RunStop, eyes: Eyes) -> None:
    active = list(Command.objects.filter(state__in=ACTIVE_STATES))
    if not active:
        return  # most of the time, after one question
    for command in active:
        if command.state == CommandState.RUNNING:
            _take_from_silent(command, now, eyes)
    # Asked again: what was taken from somebody silent is queued now. A Stop waits for nobody, so Stops come first.
    queued = Command.objects.filter(state=CommandState.QUEUED).order_by("requested_at")
    for command in sorted(queued, key=lambda command: command.action != Action.STOP):
        _look_after_queued(command, now, run_stop, eyes)


def _take_from_silent(command: Command, now: datetime, eyes: Eyes) -> None:
    """A command whose executor is silent goes to another one, and after a few of them is over."""
    silent = eyes.same_for((command.pk, "beat"), (command.claim, command.heartbeat_at))
    if silent < (STOPPER_SILENT if command.action == Action.STOP else EXECUTOR_SILENT):
        return
    if command.revivals >= claims.MOST_REVIVALS or claims.is_forsaken(command, now):
        endings.break_off(command.pk, command.claim, endings.VANISHED, now)
    elif claims.revive(command, now):
        logger.warning("%s was taken from %s, which is silent", command, command.claimed_by)
        publish.publish_command(command.pk)


def _look_after_queued(command: Command, now: datetime, run_stop: RunStop, eyes: Eyes) -> None:
    waited = eyes.same_for((command.pk, "queued", command.revivals), None)
    unpublished = eyes.same_for((command.pk, "published"), command.published_at)
    since = (now - command.requested_at).total_seconds()
    too_late = waited >= claims.lifetime(command.action).total_seconds()
    if too_late or not Command.objects.filter(claims.in_time(now), pk=command.pk).exists():
        endings.expire(command, now)
    elif command.action == Action.STOP and (command.revivals or max(waited, since) >= STOP_UNCLAIMED):
        run_stop(command.pk)
    elif unpublished >= PUBLISH_AGAIN:
        Command.objects.filter(pk=command.pk).update(published_at=now)
        publish.publish_command(command.pk)


def stop_in_thread(command_id: UUID) -> None:
    """Execute a Stop beside the sweeping; the claim decides when a worker wakes up at the same moment."""

    def work() -> None:
        try:
            execute(command_id)
        except Exception:  # nobody waits for this thread; the next round tries again
            logger.exception("the Stop %s could not be executed by the monitor", command_id)
        finally:
            connection.close()

    threading.Thread(target=work, name=f"stop-{command_id}", daemon=True).start()


def _close_out_again(now: datetime, eyes: Eyes) -> None:
    """A run is left closing only while its files are being moved; a close-out that got lost is asked for again."""
    for run in Run.objects.filter(state=RunState.CLOSING):
        silent = eyes.same_for((run.pk, "moving"), run.files_moving_at)
        asked = eyes.same_for((run.pk, "asked"), run.files_asked_at)
        if run.files_moving_at is not None:
            if silent < MOVER_SILENT:
                continue
            Run.objects.filter(pk=run.pk, files_moving_at=run.files_moving_at).update(files_moving_at=None)
        if asked >= CLOSE_OUT_AGAIN or run.files_asked_at is None:
            Run.objects.filter(pk=run.pk).update(files_asked_at=now)
            publish.publish_close_out(run.pk)


def look_after_restarts(now: datetime, eyes: Eyes) -> None:
    """Restarts that nobody began are published again and expire, a silent one is ended."""
    for restart in Restart.objects.filter(state__in=ACTIVE_STATES):
        if restart.state == CommandState.QUEUED:
            _look_after_queued_restart(restart, now, eyes)
        elif eyes.same_for((restart.pk, "beat"), restart.heartbeat_at) >= RESTARTER_SILENT:
            # Not taken up by another worker: nobody knows whether its command was run.
            restarts.end(restart.pk, CommandState.FAILED, restarts.GONE, now)


def _look_after_queued_restart(restart: Restart, now: datetime, eyes: Eyes) -> None:
    too_late = eyes.same_for((restart.pk, "queued"), None) >= EXPIRES_AFTER.total_seconds()
    unpublished = eyes.same_for((restart.pk, "published"), restart.published_at)
    if too_late or not Restart.objects.filter(restarts.in_time(now), pk=restart.pk).exists():
        restarts.end(restart.pk, CommandState.EXPIRED, restarts.EXPIRED, now, only_from=CommandState.QUEUED)
    elif unpublished >= PUBLISH_AGAIN:
        Restart.objects.filter(pk=restart.pk).update(published_at=now)
        publish.publish_restart(restart.pk)


def _set_aside_again(now: datetime, eyes: Eyes) -> None:
    """Stray files that nobody sets aside: it is asked for again, and after a while it is said that it was not done."""
    asked = gate.set_aside_asked_at()
    if asked is None:
        return
    waited = eyes.same_for("set aside", asked)
    turn = int(waited / PUBLISH_AGAIN)
    turned = eyes.same_for("set aside, turn", (asked, turn)) == 0
    if waited >= EXPIRES_AFTER.total_seconds():
        if gate.drop_set_aside(asked):
            text = f"Files left in staging were not looked through. {gate.NOT_TAKEN}"
            add_event("run", text, subject="staging", severity="warning", at=now)
    elif turn and turned:
        publish.publish_set_aside()
