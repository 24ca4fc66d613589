"""A run that nobody is at work on is brought to where the hardware is; never silently, never on a guess."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import DAQ
from attpcdaq.audit.trail import record
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.gate import hold_gate
from attpcdaq.runcontrol.doing.endings import may_have_frames
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command
from attpcdaq.runcontrol.proving import configs_kept
from attpcdaq.runcontrol.seeing.gather import (
    Rows,
    exclusion_of,
    fresh_router,
    is_excluded,
    live_state,
    read_rows,
)
from attpcdaq.runcontrol.seeing.moments import is_about_now
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.topology.models import ECCServer
from get_protocol.state_machine import State, Transition

NOBODY_FOR = timedelta(seconds=2)
QUIET_FOR = timedelta(seconds=3)
# A running run is not among them: whatever is read, only a person's Stop ends it.
TRANSIENT = (RunState.REQUESTED, RunState.STARTING, RunState.STOPPING)

NEVER_STARTED = "Its Start ended before any board was told to start."
ALL_RUN = "Its Start ended before it could say so: all boards were found Running."
SOME_RUN = "Its Start ended half-way: {names} were found Running, so the DAQ itself stops them."
NONE_RUNS = "Its Start ended half-way: no board was found Running, but frames may have been taken."
STOPPED = "Its Stop ended before it could say so: all boards were found not Running, and no file grows."


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the hardware says that a run is, and why; `stop`: its boards must be stopped first."""

    to: str
    why: str
    started_at: datetime | None = None
    stop: bool = False


def reconcile(now: datetime) -> bool:
    """Look once; call it about twice a second. True when a run changed, or a Stop was asked for."""
    if not Run.objects.filter(state__in=TRANSIENT).exists() or Command.objects.filter(state__in=ACTIVE_STATES).exists():
        return False
    # Looked at before the gate is taken, which is needed for deciding only.
    if _find(read_rows(now)) is None:
        return False
    with transaction.atomic():
        hold_gate()
        rows = read_rows(now)
        finding = _find(rows)
        if finding is None or rows.run is None:
            return False
        _carry_out(rows.run, finding, now)
    if finding.stop:
        commands.request(Action.STOP, None, DAQ, now=now)
    return True


def _carry_out(run: Run, finding: Finding, now: datetime) -> None:
    add_verdict(run.pk, finding.why)
    if finding.to in (RunState.CLOSING, RunState.RUNNING):
        configs_kept.of_run(run)
    if finding.to == RunState.CLOSING:
        advance(run.pk, RunState.STOPPING, now)
        if advance(run.pk, RunState.CLOSING, now, files_asked_at=now):
            transaction.on_commit(partial(publish.publish_close_out, run.pk))
    elif finding.to == RunState.RUNNING:
        advance(run.pk, RunState.RUNNING, now, started_at=finding.started_at or now)
    elif finding.to == RunState.FAILED:
        advance(run.pk, RunState.FAILED, now)
    record(DAQ, "reconcile", Outcome.DONE, subject=str(run), text=f"{finding.to}: {finding.why}", at=now)


def _find(rows: Rows) -> Finding | None:
    """What the rows say of the open run; None when they do not say enough, or all is as it should be."""
    run = rows.run
    if run is None or run.state not in TRANSIENT or rows.active:
        return None
    ended = Command.objects.filter(run=run).aggregate(at=Max("finished_at"))["at"] or run.requested_at
    if is_about_now(ended, rows.now, NOBODY_FOR):
        return None
    if run.state != RunState.STOPPING and not may_have_frames(run.pk):
        return Finding(RunState.FAILED, NEVER_STARTED)
    included = [server for server in rows.servers if exclusion_of(server) is None]
    if not rows.monitor_alive or not all(_at_rest(server, ended, rows.now) for server in included):
        return None
    return _compared(run, [server for server in included if _state(server, rows) is State.RUNNING], included, rows)


def _compared(run: Run, running: list[ECCServer], included: list[ECCServer], rows: Rows) -> Finding | None:
    if running and run.state == RunState.STOPPING:
        return None  # the page names them and asks for a Stop
    if running and len(running) == len(included):
        seen = [server.live.since for server in running]
        return Finding(RunState.RUNNING, ALL_RUN, max((at for at in seen if at is not None), default=rows.now))
    if running:
        names = ", ".join(server.name for server in running)
        return Finding(run.state, SOME_RUN.format(names=names), stop=True)
    unread, still = _files(rows)
    if still:
        return None
    why = STOPPED if run.state == RunState.STOPPING else NONE_RUNS
    return Finding(RunState.CLOSING, " ".join([why, *unread]))


def _state(server: ECCServer, rows: Rows) -> State | None:
    return live_state(server, rows.now)[0]


def _at_rest(server: ECCServer, ended: datetime, now: datetime) -> bool:
    """Its state is known, nothing is under way in it, and both were read after the last command had ended."""
    state, transition, live = live_state(server, now)
    if state is None or live is None or live.seen_at is None or transition is not Transition.NONE:
        return False
    return live.seen_at > ended or ended > now  # the clock may have stepped back since


def _files(rows: Rows) -> tuple[list[str], bool]:
    """What to say of routers that nobody can read, and whether any file still grows (or is not read yet)."""
    unread: list[str] = []
    for router in rows.routers:
        if getattr(router, "data_source", None) is None or is_excluded(router):
            continue
        live, known = fresh_router(router, rows.now), getattr(router, "live", None)
        if live is None and known is not None and known.problem:
            unread.append(f"{router.name} could not be looked at: {known.problem}")
        elif live is None or not _quiet(live):
            return [], True
    return unread, False


def _quiet(live: RouterState) -> bool:
    """Whether a reading said so: time in which nobody read is no time in which nothing grew."""
    if live.problem or live.seen_at is None:
        return False
    return live.grew_at is None or not is_about_now(live.grew_at, live.seen_at, QUIET_FOR)
