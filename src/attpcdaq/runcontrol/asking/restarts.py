"""Restarting an ECC server or a data router over SSH: what only that cures, as a durable record (facts 2.3, 2.4, 4)."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.limits import CLOCKS_DIFFER, EXPIRES_AFTER, RESTART_LIMIT
from attpcdaq.runcontrol.models import ACTIVE_STATES, CommandState, Restart
from attpcdaq.runcontrol.seeing.views import ActionView, RestartView
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.topology.models import DataRouter, ECCServer

Part = ECCServer | DataRouter
KINDS: dict[str, type[Part]] = {"ecc": ECCServer, "router": DataRouter}
WHAT = "restart"
# Each may hold a thread of the worker for a minute: the others are for commands.
AT_ONCE = 3
SHOWN_FOR = timedelta(hours=24)
GONE = "The worker that carried it out is gone. Whether it was restarted is not known: look at the state shown."
EXPIRED = "No worker took it in time, so nothing was done. Is the Celery worker running?"


def request_restart(
    kind: str, name: str, by: Requester, *, confirm: bool = False, now: datetime | None = None
) -> Restart:
    """Record that the ECC server (`ecc`) or data router (`router`) `name` is to be restarted, and wake a worker up.

    Asked for twice it is one restart. BadCommand: no such part. CommandRefused: no command is set up for it, somebody
    else is in charge, or a run is open and `confirm` is not given.
    """
    moment = now or timezone.now()
    with deciding(by, WHAT, name, moment):
        part = _part(kind, name)
        action = restart_action(part, open_run())
        if not action.allowed:
            raise CommandRefused(action.reasons)
        joined = Restart.objects.filter(subject=name, state__in=ACTIVE_STATES).first()
        if joined is not None:
            return _joined(joined, part, by, moment)
        busy = list(Restart.objects.filter(state__in=ACTIVE_STATES).values_list("subject", flat=True))
        if len(busy) >= AT_ONCE:
            names = ", ".join(busy)
            raise CommandRefused((f"The restarts of {names} are under way: wait until one of them has ended.",))
        if action.confirm and not confirm:
            raise CommandRefused((f"{action.confirm} Confirm it (confirm=true) if that is meant.",))
        return _record(part, by, moment)


def _part(kind: str, name: str) -> Part:
    if kind not in KINDS:
        raise BadCommand("kind", f"{kind!r} is not one of {', '.join(KINDS)}.")
    rows = KINDS[kind].objects.select_related("node")
    found = rows.filter(name=name).first() if name.isprintable() else None
    if found is None:
        known = ", ".join(rows.values_list("name", flat=True)) or "none"
        raise BadCommand("name", f"there is no {name[:80]!r}; known are {known}.")
    return found


def _joined(restart: Restart, part: Part, by: Requester, now: datetime) -> Restart:
    if part.pk != (restart.ecc_server_id if isinstance(part, ECCServer) else restart.data_router_id):
        raise CommandRefused((f"Something else that is called {part.name} is being restarted: wait until it is done.",))
    text = f"It joins the restart of {restart.requested_by}."
    trail.record(by, WHAT, Outcome.ACCEPTED, subject=part.name, text=text, command=restart.pk, at=now)
    return restart


def _record(part: Part, by: Requester, now: datetime) -> Restart:
    restart = Restart.objects.create(
        ecc_server=part if isinstance(part, ECCServer) else None,
        data_router=part if isinstance(part, DataRouter) else None,
        subject=part.name,
        node=part.node.name,
        command=command_line(part),
        requested_by=by.name,
        origin=by.origin,
        requested_at=now,
        expires_at=now + EXPIRES_AFTER,
        published_at=now,
    )
    trail.record(by, WHAT, Outcome.ACCEPTED, subject=part.name, text=restart.command, command=restart.pk, at=now)
    say(restart, f"{by.name}: restart ({restart.command})", now)
    transaction.on_commit(partial(publish.publish_restart, restart.pk))
    return restart


def command_line(part: Part) -> str:
    """The command set up on its node, with its name in place of {name}; empty when there is none."""
    pattern = part.node.restart_ecc if isinstance(part, ECCServer) else part.node.restart_router
    return pattern.replace("{name}", part.name)


def restart_action(part: Part, run: Run | None) -> ActionView:
    """Whether it can be restarted from here, and what that costs the open run."""
    if not command_line(part):
        key = "restart_ecc" if isinstance(part, ECCServer) else "restart_router"
        why = f"No command to restart {part.name} is set up: give its node {part.node.name} a {key} (Setup page)."
        return ActionView(allowed=False, reasons=(why,))
    return ActionView(allowed=True, confirm=_cost(part, run))


def _cost(part: Part, run: Run | None) -> str:
    if run is None or run.state == RunState.CLOSING:
        return ""
    if isinstance(part, ECCServer):
        return (
            f"Run {run.number} is open. A restarted {part.name} says Idle while its boards still send, until Describe "
            "and Prepare reach them: the run goes on without them."
        )
    return (
        f"Run {run.number} is open. After the restart {part.name} receives nothing more in this run: its board must go "
        "through Breakup and Configure first."
    )


def latest_restarts(now: datetime) -> dict[tuple[str, int], RestartView]:
    """("ecc" or "router", id) -> its latest restart of the last day."""
    latest: dict[tuple[str, int], RestartView] = {}
    for row in Restart.objects.filter(requested_at__gte=now - SHOWN_FOR).order_by("requested_at"):
        view = RestartView(row.state, row.message, row.requested_by, row.requested_at, _until(row))
        if row.ecc_server_id is not None:
            latest["ecc", row.ecc_server_id] = view
        elif row.data_router_id is not None:
            latest["router", row.data_router_id] = view
    return latest


def _until(restart: Restart) -> datetime | None:
    """When it is given up; None once it is over."""
    if restart.state == CommandState.QUEUED:
        return restart.expires_at
    if restart.state != CommandState.RUNNING or restart.claimed_at is None:
        return None
    return restart.claimed_at + timedelta(seconds=RESTART_LIMIT)


def in_time(now: datetime) -> Q:
    """Restarts that may be begun now."""
    return Q(expires_at__gt=now, requested_at__lte=now + CLOCKS_DIFFER)


@transaction.atomic
def end(restart_id: UUID, state: str, message: str, now: datetime, *, only_from: str = CommandState.RUNNING) -> bool:
    """Record what came of it, once; False when that is recorded already."""
    unended = Restart.objects.filter(pk=restart_id, state=only_from)
    if not unended.update(state=state, message=message, finished_at=now):
        return False
    restart = Restart.objects.get(pk=restart_id)
    done = state == CommandState.DONE
    by = Requester(restart.requested_by, origin=restart.origin)
    outcome = Outcome.DONE if done else Outcome.FAILED
    trail.record(by, WHAT, outcome, subject=restart.subject, text=message, command=restart_id, at=now)
    label = restart.get_state_display().lower()
    say(restart, f"restart {label}: {message}", now, severity="info" if done else "error")
    return True


def say(restart: Restart, text: str, now: datetime, *, severity: str = "info") -> None:
    """An event among those of the part it is about."""
    topic = "router" if restart.data_router_id is not None else "ecc"
    add_event(topic, text, subject=restart.subject, severity=severity, at=now)
