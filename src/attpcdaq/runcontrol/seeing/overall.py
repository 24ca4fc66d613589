"""The overall state: Running needs all, bad needs one, unknown is never anything else."""

from dataclasses import replace
from datetime import datetime, timedelta

from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runcontrol.seeing.moments import is_about_now, seconds_since
from attpcdaq.runcontrol.seeing.views import CommandView, EccView, Level, LooseView, Overall, RouterView, RunView

# Data must have been seen to grow within this time; the readings, a second apart, and the page come on top,
# and after 10 s at the most the page must say so.
NO_DATA = 6.0
JUST_NOW = timedelta(seconds=2)
NOBODY_MOVES = timedelta(seconds=20)
TRANSIENT_RUN = ("requested", "starting", "stopping", "closing")
STATE_TEXTS = {
    "unknown": "its state is unknown.",
    "wedged": "it is wedged (state 0). Restart its ECC process, then Go to Ready.",
    "paused": "it is Paused. Stop or Breakup leads out of it.",
}
SENDING = "Files grow although no run is open and the ECC server does not say Running"
REACH_IT = "Its board still sends, as after a restart of the ECC server: Describe and Prepare reach it (Go to Ready)."
BEYOND_STOP = (
    "Its ECC server was restarted, so Stop does not reach the board: press Go to Ready, for Describe and Prepare do."
)
SILENT = "A server that has not answered for 60 s is not waited for any more."


def overall(
    servers: tuple[EccView, ...],
    routers: tuple[RouterView, ...],
    run: RunView | None,
    command: CommandView | None,
    now: datetime,
    *,
    monitor_alive: bool,
    loose: LooseView | None = None,
) -> Overall:
    """The state of the whole system at `now`, with every reason for it; who is excluded is always among them."""
    if not servers:
        return Overall("off", "No hardware set up", ("Begin with Easy setup or load a setup file.",))
    taking_part = tuple(server for server in servers if server.excluded is None)
    said = Overall("bad", "Monitor is not running", ("Nothing is known of the hardware: start the monitor process.",))
    if monitor_alive:
        included = tuple(router for router in routers if not router.excluded)
        said = _overall(taking_part, included, run, command, now, loose)
    return replace(said, reasons=said.reasons + _without(servers, routers))


def _without(servers: tuple[EccView, ...], routers: tuple[RouterView, ...]) -> tuple[str, ...]:
    """Who is excluded and why; and that it sends all the same."""
    sending = {router.ecc_server for router in routers if router.growing}
    return tuple(
        f"Excluded: {s.name} ({s.excluded.reason})" + (", but its files grow" if s.name in sending else "")
        for s in servers
        if s.excluded is not None
    )


def _overall(
    servers: tuple[EccView, ...],
    routers: tuple[RouterView, ...],
    run: RunView | None,
    command: CommandView | None,
    now: datetime,
    loose: LooseView | None,
) -> Overall:
    active = command if command is not None and command.state in ("queued", "running") else None
    problems = loose_problems(loose, servers) + server_problems(servers) + run_problems(servers, routers, run, now)
    disks = disk_problems(routers, run)
    if run is not None and active is None:
        problems += out_of_reach(run, servers, routers) or forsaken(run, now)
    if problems:
        return Overall("bad", _bad_title(servers, run, loose), problems + disks)
    if disks and run is not None:
        return Overall("bad", f"Run {run.number}: a disk is nearly full", disks)
    if active is not None:
        return Overall("busy", f"{active.label} under way", _waiting_for(active))
    if run is not None and run.state in TRANSIENT_RUN:
        return Overall("busy", f"Run {run.number} is {run.state}")
    return _settled(servers, run)


def loose_problems(loose: LooseView | None, servers: tuple[EccView, ...]) -> tuple[str, ...]:
    """Boards that take data which belong to no run."""
    if loose is None:
        return ()
    sending = [s.name for s in servers if s.name in loose.servers and s.state != "running"]
    running = [name for name in loose.servers if name not in sending]
    said = [f"Running although no run is open: {', '.join(running)}. Adopt it as a run, or stop it."] if running else []
    if sending:
        said.append(f"{SENDING}: {', '.join(sending)}. {REACH_IT}")
    return tuple(said)


def server_problems(servers: tuple[EccView, ...]) -> tuple[str, ...]:
    """What is wrong with single servers, whatever else is going on."""
    bad = (server for server in servers if server.state in STATE_TEXTS)
    said = tuple(f"{s.name}: {STATE_TEXTS[s.state]} {s.problem if s.state == 'unknown' else ''}".strip() for s in bad)
    return said + tuple(f"{s.name}: it is still busy with {s.still_busy}" for s in servers if s.still_busy)


def out_of_reach(run: RunView, servers: tuple[EccView, ...], routers: tuple[RouterView, ...]) -> tuple[str, ...]:
    """Boards that send on while their ECC server says Idle: Stop does nothing there (facts 2.2, 2.4)."""
    sending = {router.ecc_server for router in routers if router.growing}
    names = [s.name for s in servers if s.name in sending and s.state in ("idle", "described")]
    if run.state != "stopping" or not names:
        return ()
    return (f"Run {run.number} was not seen stopped: the files of {', '.join(names)} still grow. {BEYOND_STOP}",)


def forsaken(run: RunView, now: datetime) -> tuple[str, ...]:
    """A run that is on its way somewhere while nobody is at work on it."""
    if run.state in ("requested", "starting") and not is_about_now(run.requested_at, now, JUST_NOW):
        return (f"Run {run.number} is {run.state}, but nobody is at work on it any more. Press Stop.",)
    if run.state == "stopping":
        return (f"Run {run.number} was not seen stopped (see the last command). Press Stop again. {SILENT}",)
    if run.state != "closing" or run.stopped_at is None:
        return ()
    if any(is_about_now(at, now, NOBODY_MOVES) for at in (run.stopped_at, run.files_moving_at) if at is not None):
        return ()
    return (f"Nobody moves the files of run {run.number}. Is the Celery worker (queue files) running?",)


def run_problems(
    servers: tuple[EccView, ...], routers: tuple[RouterView, ...], run: RunView | None, now: datetime
) -> tuple[str, ...]:
    """What contradicts the run log: boards that do not run, or run for nobody; data that do not come."""
    if run is not None and run.state == "closing":
        loose = [server.name for server in servers if server.state == "running" and not server.going_to]
        return (f"Running although run {run.number} has stopped: {', '.join(loose)}. Press Stop.",) if loose else ()
    if run is None or run.state != "running" or run.started_at is None:
        return ()
    idle = tuple(
        f"{s.name}: it is {s.state_label}, not Running." for s in servers if s.state not in ("running", *STATE_TEXTS)
    )
    return idle + tuple(reason for router in routers if (reason := _router_problem(router, run.started_at, now)))


def disk_problems(routers: tuple[RouterView, ...], run: RunView | None) -> tuple[str, ...]:
    """Disks that are full, or will be in a moment, while data are taken: a router drops frames and says nothing."""
    if run is None or run.state != "running":
        return ()
    return tuple(
        f"{router.name}: {in_bytes(router.disk.free)} are free on {router.node}"
        + (f", the disk is {router.disk.words}." if router.disk.words else ".")
        for router in routers
        if router.disk is not None and router.disk.level == "bad"
    )


def _router_problem(router: RouterView, started_at: datetime, now: datetime) -> str:
    if router.online is None:
        return f"{router.name}: its state is unknown. {router.problem}".strip()
    if not router.online:
        return f"{router.name}: the data router is not running, so no data of {router.ecc_server} are written."
    if router.hears is False:
        return f"{router.name}: its port is taken by another process: data of {router.ecc_server} are not written."
    if not is_quiet(router.grew_at, started_at, now):
        return ""
    silent = _silent_for(router.grew_at, started_at, now)
    for_how_long = "since the clock was set back" if silent is None else f"for {silent:.0f} s"
    return f"{router.name}: no data {for_how_long} ({router.ecc_server})."


def is_quiet(grew_at: datetime | None, started_at: datetime | None, now: datetime) -> bool:
    """Whether nothing has come for longer than is all right in the run that was started then; never without a run."""
    silent = _silent_for(grew_at, started_at, now)
    return started_at is not None and (silent is None or silent > NO_DATA)


def _silent_for(grew_at: datetime | None, started_at: datetime | None, now: datetime) -> float | None:
    """Seconds; None where nobody can tell."""
    ages = (seconds_since(at, now) for at in (started_at, grew_at) if at is not None)
    return min((age for age in ages if age is not None), default=None)


def _bad_title(servers: tuple[EccView, ...], run: RunView | None, loose: LooseView | None) -> str:
    if loose is not None:
        return "Data are taken, but no run is open"
    if run is not None and run.state == "running":
        return f"Run {run.number} is not taking all data"
    if any(server.state == "unknown" for server in servers):
        return "State unknown"
    return "Needs attention"


def _waiting_for(command: CommandView) -> tuple[str, ...]:
    waiting = [step.server for step in command.steps if step.state == "sent"]
    return (f"Waiting for {', '.join(waiting)}.",) if waiting else ()


def _settled(servers: tuple[EccView, ...], run: RunView | None) -> Overall:
    states = sorted({server.state for server in servers})
    failed = tuple(f"{server.name}: {server.last_error}" for server in servers if server.last_error)
    if len(states) == 1 and not any(server.going_to for server in servers):
        title = f"Run {run.number} is running" if run is not None else servers[0].state_label
        level: Level = "ok" if states[0] in ("ready", "running") else "off"
        return Overall("bad" if failed else level, title, failed)
    if any(server.going_to for server in servers):
        moving = tuple(f"{s.name}: {s.state_label} -> {s.going_to}" for s in servers if s.going_to)
        return Overall("busy", "Transition under way", moving)
    counts = tuple(
        f"{state.capitalize()}: {', '.join(s.name for s in servers if s.state == state)}" for state in states
    )
    return Overall("bad", "Mixed states", failed + counts)
