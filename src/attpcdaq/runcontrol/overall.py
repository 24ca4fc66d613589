"""The overall state: Running needs all, bad needs one, unknown is never anything else."""

from datetime import datetime, timedelta

from attpcdaq.runcontrol.views import CommandView, EccView, Level, Overall, RouterView, RunView

# Data must have been seen to grow within this time; the readings, a second apart, and the page come on top,
# and after 10 s at the most the page must say so.
NO_DATA = timedelta(seconds=6)
TRANSIENT_RUN = ("requested", "starting", "stopping", "closing")


def overall(
    servers: tuple[EccView, ...],
    routers: tuple[RouterView, ...],
    run: RunView | None,
    command: CommandView | None,
    now: datetime,
    *,
    monitor_alive: bool,
) -> Overall:
    """The state of the whole system at `now`, with every reason for it."""
    if not servers:
        return Overall("off", "No hardware set up", ("Begin with Easy setup or load a setup file.",))
    if not monitor_alive:
        return Overall(
            "bad", "Monitor is not running", ("Nothing is known of the hardware: start the monitor process.",)
        )
    problems = server_problems(servers) + run_problems(servers, routers, run, now)
    active = command if command is not None and command.state in ("queued", "running") else None
    if problems:
        return Overall("bad", _bad_title(servers, run), problems)
    if active is not None:
        return Overall("busy", f"{active.label} under way", _waiting_for(active))
    if run is not None and run.state in TRANSIENT_RUN:
        return Overall("busy", f"Run {run.number} is {run.state}")
    return _settled(servers, run)


def server_problems(servers: tuple[EccView, ...]) -> tuple[str, ...]:
    """What is wrong with single servers, whatever else is going on."""
    texts = {
        "unknown": "its state is unknown. {problem}",
        "wedged": "it is wedged (state 0). Restart its ECC process, then Describe again.",
        "paused": "it is Paused. Stop or Breakup leads out of it.",
    }
    bad = (server for server in servers if server.state in texts)
    return tuple(f"{server.name}: {texts[server.state].format(problem=server.problem)}".strip() for server in bad)


def run_problems(
    servers: tuple[EccView, ...], routers: tuple[RouterView, ...], run: RunView | None, now: datetime
) -> tuple[str, ...]:
    """What contradicts the run log: boards that do not run, or run for nobody; data that do not come."""
    if run is None:
        loose = [server.name for server in servers if server.state == "running" and not server.going_to]
        return (f"Running although no run is open: {', '.join(loose)}. Press Stop.",) if loose else ()
    if run.state != "running" or run.started_at is None:
        return ()
    idle = tuple(
        f"{s.name}: it is {s.state_label}, not Running." for s in servers if s.state not in ("running", "unknown")
    )
    return idle + tuple(reason for router in routers if (reason := _router_problem(router, run.started_at, now)))


def _router_problem(router: RouterView, started_at: datetime, now: datetime) -> str:
    if router.online is None:
        return f"{router.name}: its state is unknown. {router.problem}".strip()
    if not router.online:
        return f"{router.name}: the data router is not running, so no data of {router.ecc_server} are written."
    quiet = now - max(started_at, router.grew_at or started_at)
    if quiet > NO_DATA:
        return f"{router.name}: no data for {quiet.total_seconds():.0f} s ({router.ecc_server})."
    return ""


def _bad_title(servers: tuple[EccView, ...], run: RunView | None) -> str:
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
