"""Everything that must be true before a run may start; every breach is named."""

from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runcontrol.planning.facts import RouterFacts, SystemFacts

RUNNING = "running"


def start_reasons(facts: SystemFacts, *, whole: bool) -> list[str]:
    """Why no run (or, for single servers, no repair within a run) may be started now."""
    # It may be read as Ready a moment before it is gone.
    restarting = [f"{name}: it is being restarted." for name in facts.restarting]
    return restarting + (_run_reasons(facts) if whole else _repair_reasons(facts))


def _run_reasons(facts: SystemFacts) -> list[str]:
    reasons = []
    if facts.experiment is None:
        reasons.append("No experiment is active: create or choose one first.")
    if facts.run is not None:
        reasons.append(f"Run {facts.run.number} is still {facts.run.state}.")
    if facts.setting_aside:
        reasons.append("Stray files are being set aside.")
    reasons += [reason for router in facts.routers if (reason := _router_reason(router))]
    return reasons + [reason for router in facts.routers if (reason := disk_reason(router, facts.min_free))]


def _repair_reasons(facts: SystemFacts) -> list[str]:
    """One server alone is started only to repair a run, and by one call, which cures nothing."""
    if facts.run is not None and facts.run.state == RUNNING:
        # The choice itself is fixed while a run is open.
        again = "Go to Ready sets it up again."
        unlike = [f"{server.name}: {server.other_config} {again}" for server in facts.servers if server.other_config]
        lost = [router for router in facts.routers if router.deaf or router.online is False or router.hears is False]
        return unlike + [_deaf_reason(router) if _would_hear(router) else _router_reason(router) for router in lost]
    return ["No run is running: Start for the whole system begins one. A server is started alone only to repair a run."]


def _router_reason(router: RouterFacts) -> str:
    if router.online is None or router.clean is None:
        return f"{router.name}: its state is unknown. {router.problem}".strip()
    if not router.online:
        return f"{router.name}: the data router is not running."
    if router.hears is False:
        return f"{router.name}: its port is taken by another process: it is deaf; restart it."
    if not router.clean:
        return f"{router.name}: its staging directory is not clean ({router.files} GRAW files)."
    return ""


def disk_reason(router: RouterFacts, min_free: int) -> str:
    """Why no run starts with what is free there; nothing where that is not known, for then nobody can tell."""
    if router.disk_free is None or router.disk_free >= min_free:
        return ""
    limit = f"and no run starts with less than {in_bytes(min_free)} (an expert may change that)"
    return f"{router.name}: {in_bytes(router.disk_free)} are free on {router.node}, {limit}."


def _would_hear(router: RouterFacts) -> bool:
    """Whether Breakup and Configure are all that it lacks: they do not help one that is gone or has no port."""
    return router.deaf and router.online is True and router.hears is not False


def _deaf_reason(router: RouterFacts) -> str:
    return f"{router.name}: it was restarted and is deaf until {router.server} goes through Breakup and Configure."
