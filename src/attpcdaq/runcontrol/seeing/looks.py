"""How the whole detector is, as the monitor puts it down every few seconds: the overall state and what causes it."""

from datetime import datetime

from attpcdaq.live.spells import Cause, Look
from attpcdaq.runcontrol.seeing.gather import read_rows, system_facts
from attpcdaq.runcontrol.seeing.overall import run_problems, server_problems
from attpcdaq.runcontrol.seeing.snapshot import Core, core
from attpcdaq.runcontrol.seeing.views import EccView, RouterView
from attpcdaq.runcontrol.troubles.troubles import trouble_of


def look(now: datetime) -> Look:
    """Read from the rows of this moment, without working out what each button would do."""
    rows = read_rows(now)
    seen = core(rows, system_facts(rows))
    causes = _causes(seen, now) if seen.overall.level == "bad" else ()
    return Look(seen.overall.level, seen.overall.title, causes, seen.run.id if seen.run else None)


def _causes(seen: Core, now: datetime) -> tuple[Cause, ...]:
    """Each kind of trouble once, with the parts that have it; one by which data are missing first."""
    missing = _by_which_data_are_missing(seen, now)
    known: tuple[EccView | RouterView, ...] = seen.servers + seen.routers
    names = {part.name for part in known}
    parts: dict[tuple[str, str], set[str]] = {}
    lost: set[tuple[str, str]] = set()
    for reason in seen.overall.reasons or (seen.overall.title,):
        trouble, name = trouble_of(reason), reason.partition(": ")[0]
        kind = (trouble.key, trouble.title) if trouble else ("", seen.overall.title)
        if kind[0] == "excluded":
            continue
        parts.setdefault(kind, set()).update({name} & names)
        if reason in missing:
            lost.add(kind)
    found = [Cause(key, title, tuple(sorted(of)), (key, title) in lost) for (key, title), of in parts.items()]
    return tuple(sorted(found, key=lambda cause: not cause.lost))


def _by_which_data_are_missing(seen: Core, now: datetime) -> frozenset[str]:
    """Reasons why a run that is running does not take all data."""
    if seen.run is None or seen.run.state != "running":
        return frozenset()
    servers = tuple(server for server in seen.servers if server.excluded is None)
    routers = tuple(router for router in seen.routers if not router.excluded)
    return frozenset(server_problems(servers) + run_problems(servers, routers, seen.run, now))
