"""One block: runs one after the other in a world of its own, everything back in order, and the checker's look."""

import asyncio
from collections.abc import Callable, Mapping
from unittest import mock

from django.db.models import F, Q

from attpcdaq.runlog.models import Manifest, Run, RunState
from tests.chaos.virtual_time import VirtualLoop
from tests.chaos.world import World
from tests.closeout import rows
from tests.closeout.checker import check, quarantined
from tests.closeout.crew import RunCrew
from tests.closeout.detector import Detector, build_world
from tests.closeout.evidence import Evidence
from tests.closeout.injector import Injector
from tests.closeout.plan import BlockPlan, Phase
from tests.closeout.results import Result

STRUCK_WITHIN = 130.0
ORDER_WITHIN = 40.0
PROOF_WITHIN = 120.0

Harm = Callable[[World, Detector], None]


def run_block(plan: BlockPlan, harm: Harm | None = None) -> Result:
    """Let it happen; `harm` tampers with everything before the checker looks."""
    loop = VirtualLoop(plan.seed)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_block(loop, plan, harm))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(1.0))
        loop.close()


async def _block(loop: VirtualLoop, plan: BlockPlan, harm: Harm | None) -> Result:
    world, detector = build_world(loop, plan)
    injector = Injector(world, detector)
    crew = RunCrew(world, reached=injector.reached)
    with mock.patch("django.utils.timezone.now", world.clock.now):
        world.start()
        await world.wait(2.0)
        await crew.make_ready()
        numbers: dict[int, int] = {}
        for run in plan.runs:
            injector.begin(run)
            before = _latest()
            await crew.take(run)
            numbers |= {run.number: _latest()} if _latest() != before else {}
        await settle(world, injector, crew)
        if harm is not None:
            harm(world, detector)
        found = gathered(plan, world, detector, injector, crew, numbers)
        result = _result(plan, found, world, detector, crew)
    world.close()
    return result


async def settle(world: World, injector: Injector, crew: RunCrew) -> None:
    """All faults end; then everything that is left to do is done by itself, or after one press of the button."""
    for phase in (Phase.NEXT, *Phase):
        for number in range(min(run for run, _ in injector.begun), max(run for run, _ in injector.begun) + 1):
            injector._event(number, phase).set()
    if not await world.until(lambda: injector.at_work == 0, STRUCK_WITHIN):
        crew.problems.append(f"{injector.at_work} faults did not end: a mistake of this suite")
    world.node_faults.clear()
    crew.repair()
    await world.until(in_order(injector), ORDER_WITHIN, every=0.5)
    if not in_order(injector)():
        crew.tidy_up()
        await world.until(in_order(injector), ORDER_WITHIN, every=0.5)
    await world.until(proven, PROOF_WITHIN, every=0.5)
    await world.wait(1.0)
    crew.problems += [f"an exception that nobody expected: {text}" for text in world.gear.broken]


def in_order(injector: Injector) -> Callable[[], bool]:
    """Whether every run is closed, and nothing lies in a staging directory."""
    world = injector.world

    def look() -> bool:
        open_ones = Run.objects.exclude(state__in=(RunState.CLOSED, RunState.FAILED)).exists()
        nodes = world.hardware.nodes.nodes.values()
        left = any(name.endswith(".graw") for node in nodes for name in node.directories.get("/staging", {}))
        return not open_ones and not left

    return look


def proven() -> bool:
    """Whether there is nothing left to prove."""
    made = Q(made_at__gte=F("asked_at"))
    closed = Run.objects.filter(state=RunState.CLOSED).count()
    return Manifest.objects.filter(made, run__state=RunState.CLOSED).count() == closed


def gathered(
    plan: BlockPlan, world: World, detector: Detector, injector: Injector, crew: RunCrew, numbers: Mapping[int, int]
) -> Evidence:
    """Everything that the checker is given."""
    return Evidence(
        runs=rows.run_rows(),
        written=[*(one for router in detector.late_routers.values() for one in router.written), *injector.strange],
        on_disk=rows.on_disk(detector.nodes),
        files=rows.file_rows(),
        quarantined=rows.quarantine_rows(),
        taken=detector.taken.of_run,
        struck=_struck(plan, numbers),
        problems=list(crew.problems),
    )


def _struck(plan: BlockPlan, numbers: Mapping[int, int]) -> dict[int, frozenset[str]]:
    """Number of a run in the log -> the kinds that struck in it or in any before it, and the habits."""
    before: set[str] = {str(habit) for habit in plan.habits}
    found = {}
    for run in plan.runs:
        before |= {str(strike.kind) for strike in run.strikes}
        if run.number in numbers:
            found[numbers[run.number]] = frozenset(before)
    return found


def _latest() -> int:
    return Run.objects.order_by("-pk").values_list("number", flat=True).first() or 0


def _result(plan: BlockPlan, found: Evidence, world: World, detector: Detector, crew: RunCrew) -> Result:
    files, frames, of_one = quarantined(found)
    routers = detector.late_routers.values()
    return Result(
        plan=plan,
        findings=check(found),
        said=crew.said,
        seconds=world.now(),
        counts={
            "runs": len(found.runs),
            "files": len(found.on_disk),
            "frames": sum(len(taken) for run, taken in found.taken.items() if run),
            "late": sum(router.late for router in routers),
            "quarantined files": files,
            "quarantined frames": frames,
            "of one run": of_one,
            "presses": crew.presses,
        },
        proofs=[run.proof for run in found.runs],
        reasons=[f"run {run.number}: {run.proof}: {' | '.join((*run.reasons, run.verdict))}" for run in found.runs],
        closing=[run.closing for run in found.runs if run.closing is not None],
        waited=crew.waited,
        whys=[row.why for row in found.quarantined],
    )
