"""What the monitor does beside reading: commands that nobody claimed, executors that died, runs left half closed."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from attpcdaq.runcontrol import publish, record
from attpcdaq.runcontrol.close_out import not_being_moved
from attpcdaq.runcontrol.execute import execute
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command, CommandState
from attpcdaq.runcontrol.run_progress import break_off, drop_start
from attpcdaq.runlog.models import Run, RunState

logger = logging.getLogger(__name__)
STOP_UNCLAIMED = timedelta(seconds=1)
PUBLISH_AGAIN = timedelta(seconds=2)
STOPPER_SILENT = timedelta(seconds=4)
EXECUTOR_SILENT = timedelta(seconds=10)
CLOSE_OUT_AGAIN = timedelta(seconds=3)
VANISHED = "The worker that carried it out is gone; the state shown is what the hardware says."


def sweep(now: datetime, run_stop: Callable[[UUID], object] | None = None) -> None:
    """One round; call it about twice a second. `run_stop` executes a Stop that no worker took."""
    # Most of the time there is no command, and one question is enough.
    if Command.objects.filter(state__in=ACTIVE_STATES).exists():
        _look_after_commands(now, run_stop or stop_in_thread)
    _close_out_again(now)


def _look_after_commands(now: datetime, run_stop: Callable[[UUID], object]) -> None:
    _stop_without_worker(now, run_stop)
    _expire(now)
    _publish_again(now)
    _end_vanished(now)


def _stop_without_worker(now: datetime, run_stop: Callable[[UUID], object]) -> None:
    """A Stop waits for nobody: not for a worker to come, nor for one that fell silent with it."""
    stops = Command.objects.filter(action=Action.STOP)
    begun = stops.filter(state=CommandState.RUNNING, superseded=False, expires_at__gt=now)
    for command in begun.filter(heartbeat_at__lte=now - STOPPER_SILENT):
        record.revive(command.pk, now - STOPPER_SILENT)
    for command in stops.filter(state=CommandState.QUEUED, requested_at__lte=now - STOP_UNCLAIMED):
        run_stop(command.pk)


def _expire(now: datetime) -> None:
    for command in Command.objects.filter(~record.in_time(now), state=CommandState.QUEUED):
        with transaction.atomic():
            if record.expire(command, now) and command.opens_run and command.run_id is not None:
                drop_start(command.run_id, record.EXPIRED, now)


def stop_in_thread(command_id: UUID) -> None:
    """Execute a Stop beside the sweeping; the claim decides when a worker wakes up at the same moment."""

    def work() -> None:
        try:
            execute(command_id)
        except Exception:
            logger.exception("the Stop %s could not be executed by the monitor", command_id)
        finally:
            connection.close()

    threading.Thread(target=work, name=f"stop-{command_id}", daemon=True).start()


def _publish_again(now: datetime) -> None:
    lost = Command.objects.filter(state=CommandState.QUEUED, published_at__lte=now - PUBLISH_AGAIN)
    for command in lost:
        Command.objects.filter(pk=command.pk).update(published_at=now)
        publish.publish_command(command.pk)


def _end_vanished(now: datetime) -> None:
    """A command whose executor is silent is over; the hardware is read by everybody, and Stop leads out."""
    # Nor does a heartbeat count that lies ahead: the clock stepped back since.
    silent = Q(heartbeat_at__lte=now - EXECUTOR_SILENT) | Q(heartbeat_at__gt=now + EXECUTOR_SILENT)
    for command in Command.objects.filter(silent, state=CommandState.RUNNING):
        break_off(command.pk, VANISHED, now)


def _close_out_again(now: datetime) -> None:
    """A run is left closing only while its files are being moved; a close-out that got lost is asked for again."""
    closing = Run.objects.filter(state=RunState.CLOSING)
    unasked = Q(files_asked_at__isnull=True) | Q(files_asked_at__lte=now - CLOSE_OUT_AGAIN)
    unasked |= Q(files_asked_at__gt=now + CLOSE_OUT_AGAIN)
    for run in closing.filter(unasked & not_being_moved(now)):
        Run.objects.filter(pk=run.pk).update(files_asked_at=now)
        publish.publish_close_out(run.pk)
