"""One cycle: the crew's script with its faults, the way back to Ready, and what the checker says of it."""

from collections.abc import Callable, Mapping

from attpcdaq.runcontrol.models import Command
from get_protocol.state_machine import Transition
from tests.chaos import rows
from tests.chaos.checker import Finding, check
from tests.chaos.crew import Crew, restarts_at_work
from tests.chaos.evidence import CommandRow, Evidence
from tests.chaos.faults import Kind, Schedule
from tests.chaos.injector import Injector
from tests.chaos.results import Result
from tests.chaos.scripts import SCRIPTS
from tests.chaos.truth import give_frames, places_of_frames, spells_of
from tests.chaos.watch import Watch
from tests.chaos.world import DEADLINES, World

BACK_WITHIN = 35.0
RIGHT_WITHIN = 10.0
# A server that takes no calls cannot be reached by a Stop either.
DEAF = {Kind.ECC_FREEZES, Kind.ECC_DIES, Kind.ECC_DIES_IN_CALL, Kind.ECC_GONE, Kind.ECC_WEDGES, Kind.NODE_DIES}


async def run_cycle(
    world: World, watch: Watch, schedule: Schedule, sabotage: Callable[[World], None] = lambda world: None
) -> Result:
    """Let it happen, lead out of it, and check."""
    began, seq, calls = world.now(), world.hardware.journal.last_seq, len(world.wire.calls)
    known = frozenset(Command.objects.values_list("pk", flat=True))
    numbers = dict(watch.numbers)
    injector, crew = Injector(world), Crew(world, watch.requested)
    injector.begin(schedule.strikes)
    await world.wait(0.2)
    await SCRIPTS[schedule.script](crew, schedule)
    await world.until(lambda: injector.at_work == 0, BACK_WITHIN)
    problems = await crew.lead_out()
    problems += [f"an exception that nobody expected: {text}" for text in world.gear.broken]
    problems += [f"the restart of {one.subject} is left {one.state}" for one in restarts_at_work()]
    world.gear.broken.clear()
    sabotage(world)
    watch.see_commands()
    watch.see_runs()
    evidence = _evidence(world, watch, injector, began, seq, calls, known, numbers, problems)
    figures = measured(evidence, reachable=not DEAF & {strike.kind for strike in schedule.strikes})
    if injector.right_after:
        figures["page right again"] = max(injector.right_after.values())
    result = Result(
        schedule=schedule,
        findings=check(evidence) + _too_slow(figures),
        said=crew.said,
        figures=figures,
        seconds=world.now() - began,
        runs=len(evidence.runs),
        clicks=tuple(crew.clicks),
    )
    _forget(world, watch)
    return result


def _evidence(
    world: World,
    watch: Watch,
    injector: Injector,
    began: float,
    seq: int,
    calls: int,
    known: frozenset[object],
    numbers: Mapping[int, int],
    problems: list[str],
) -> Evidence:
    journal = world.hardware.journal.since(seq)
    spells = spells_of(journal, world.now())
    for router in world.hardware.routers.values():
        give_frames(spells, world.hardware.serials.taken, router.stored)
    run_rows = [watch.corrected(row, world.clock, began) for row in rows.run_rows(world.clock, watch.last_run)]
    command_rows = [watch.corrected_command(row) for row in rows.command_rows(world.clock, known)]
    return Evidence(
        began=began,
        ended=world.now(),
        runs=run_rows,
        commands=command_rows,
        known_numbers=numbers,
        journal=journal,
        spells=spells,
        places=places_of_frames(world.hardware.nodes),
        calls=world.wire.calls[calls:],
        looks=list(watch.looks),
        outages=injector.outages,
        router_of={board: router for router, board in world.routers.items()},
        node_of={name: world.hardware.node_of(name) for name in (*world.hardware.ecc, *world.hardware.routers)},
        clock_stepped=world.clock.stepped_since(began),
        problems=problems,
    )


def _forget(world: World, watch: Watch) -> None:
    watch.next_cycle()
    world.wire.calls.clear()
    world.hardware.serials.taken.clear()
    for router in world.hardware.routers.values():
        router.stored.clear()
    for node in world.hardware.nodes.nodes.values():
        for directory, files in node.directories.items():
            if directory != "/staging":
                for name in [name for name in files if name.endswith(".graw")]:
                    files[name].data = b""  # it was looked at; the name stays, so that nothing may be put over it


def measured(evidence: Evidence, *, reachable: bool) -> dict[str, float]:
    """The worst times of this cycle."""
    figures: dict[str, float] = {}
    for command in evidence.commands:
        for step in command.steps:
            late = _beyond_deadline(command, step.sent, step.finished, step.transition)
            if late is not None and step.state == "failed":
                figures["named after its deadline"] = max(figures.get("named after its deadline", late), late)
        if command.action == "stop" and reachable:
            reached = _stop_reached(command, evidence)
            if reached is not None:
                figures["Stop reaches the boards"] = max(figures.get("Stop reaches the boards", 0.0), reached)
    return figures


def _beyond_deadline(command: CommandRow, sent: float | None, finished: float | None, transition: int) -> float | None:
    if sent is None or finished is None or command.revivals:
        return None
    return finished - sent - DEADLINES[Transition(transition).name.lower()]


def _stop_reached(command: CommandRow, evidence: Evidence) -> float | None:
    """Seconds until the first Stop call left, if boards were taking data when it was asked for."""
    running = any(s.on <= command.requested and (s.off is None or s.off > command.requested) for s in evidence.spells)
    blind = any(o.since <= command.requested + 5.0 and o.until >= command.requested for o in evidence.outages)
    calls = [c.at for c in evidence.calls if c.transition is Transition.STOP and c.at >= command.requested]
    return min(calls) - command.requested if running and calls and not blind else None


def _too_slow(figures: dict[str, float]) -> list[Finding]:
    limits = {"page right again": RIGHT_WITHIN, "named after its deadline": 1.0, "Stop reaches the boards": 5.0}
    return [
        Finding("stuck", "too slow", f"{name}: {figures[name]:.2f} s, allowed are {limit:g}")
        for name, limit in limits.items()
        if figures.get(name, 0.0) > limit
    ]
