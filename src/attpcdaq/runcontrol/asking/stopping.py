"""Asking for a Stop: it is only written down, without a lock and without a look at who is in charge."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking import orders
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.doing import claims, endings
from attpcdaq.runcontrol.models import Action, Command
from attpcdaq.runcontrol.planning.plan import Plan, plan
from attpcdaq.runcontrol.seeing.gather import Rows, exclusion_of, read_rows, system_facts
from attpcdaq.runlog.models import RunState

TRIES = 3
ON_ITS_WAY = (RunState.REQUESTED, RunState.STARTING, RunState.STOPPING)


def request_stop(targets: Sequence[str] | None, by: Requester, now: datetime) -> Command:
    """Record a Stop, or join the one that is at work. BadCommand, CommandRefused (no ECC server is set up)."""
    try:
        for _ in range(TRIES):
            rows = read_rows(now)
            orders.check_words(Action.STOP, targets, rows)
            try:
                return _joined_or_written(_widened(targets, rows), by, rows)
            except IntegrityError:
                continue  # somebody pressed it at the same moment: the next look finds that Stop
        # Naming them all, it is like no other; whatever goes on in the database, this one is written.
        return _written([server.name for server in rows.servers], by, rows)
    except (BadCommand, CommandRefused) as refusal:
        trail.record(by, Action.STOP, Outcome.REFUSED, subject=endings.whom(targets), text=str(refusal), at=now)
        raise


def _widened(targets: Sequence[str] | None, rows: Rows) -> Sequence[str] | None:
    """A run that is on its way up or down cannot lose one board alone: Stop then stops them all."""
    if targets is None or rows.run is None or rows.run.state not in ON_ITS_WAY:
        return targets
    excluded = {server.name for server in rows.servers if exclusion_of(server) is not None}
    return targets if set(targets) <= excluded else None  # who is no part of the run may be stopped alone


def _joined_or_written(targets: Sequence[str] | None, by: Requester, rows: Rows) -> Command:
    for stop in rows.active:
        if stop.action == Action.STOP and _covers(stop, targets) and not _over(stop, rows.now):
            orders.accepted(stop, by, rows, f"It joins the Stop of {stop.requested_by}.")
            return stop
    return _written(targets, by, rows)


def _covers(stop: Command, targets: Sequence[str] | None) -> bool:
    """A Stop pressed twice is one Stop; it joins one at work that reaches all its servers."""
    if targets is None:
        return stop.targets is None
    return set(targets) <= {step.server_name for step in stop.steps.all()}


def _over(stop: Command, now: datetime) -> bool:
    """Nobody took it in time, and nobody was there to say so: it must not swallow this one."""
    queued = Command.objects.filter(pk=stop.pk, claim=None)
    return not queued.filter(claims.in_time(now)).exists() and queued.exists() and endings.expire(stop, now)


def _written(targets: Sequence[str] | None, by: Requester, rows: Rows) -> Command:
    agreed = plan(Action.STOP, targets, system_facts(rows))
    if not isinstance(agreed, Plan):
        raise CommandRefused(agreed.reasons)
    with transaction.atomic():
        return orders.write(agreed, targets, by, rows, rows.run)
