"""Makes the faults of a block happen at their moments, and takes them back."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from attpcdaq.runcontrol.asking.gate import is_setting_aside
from get_protocol.graw import graw_name
from get_simulator.faults import FaultKind
from tests.chaos.processes import Process, outside_all
from tests.chaos.virtual_time import START, sleep
from tests.chaos.world import World
from tests.closeout.detector import Detector
from tests.closeout.frames import strange_frames
from tests.closeout.plan import LATE, TIMINGS, Kind, Phase, RunPlan, Strike
from tests.closeout.router import LateRouter, Written

T = TypeVar("T")
PACE = 0.02
MOST_LATE = 60.0
STEPS = 70
"""Statements and questions to nodes after which a closing is over at the latest."""


@dataclass
class Injector:
    """Everything that strikes in one block."""

    world: World
    detector: Detector
    at_work: int = 0
    begun: dict[tuple[int, Phase], asyncio.Event] = field(default_factory=dict)
    strange: list[Written] = field(default_factory=list)
    standing: dict[Strike, Process] = field(default_factory=dict)
    """Workers that stand still, and in whose place there is another."""

    def begin(self, plan: RunPlan) -> None:
        for strike in plan.strikes:
            self.at_work += 1
            how = self._late if strike.kind in LATE else self._strike
            outside_all(partial(how, plan, strike), str(strike.kind))

    def reached(self, number: int, phase: Phase) -> None:
        """The run has come to this phase."""
        self._event(number, phase).set()
        if phase is Phase.RUNNING and number:
            self._event(number - 1, Phase.NEXT).set()

    def _event(self, number: int, phase: Phase) -> asyncio.Event:
        return self.begun.setdefault((number, phase), asyncio.Event())

    async def _strike(self, plan: RunPlan, strike: Strike) -> None:
        await self._event(plan.number, strike.phase).wait()
        await sleep(strike.at)
        begin, end = HOW[strike.kind]
        begin(self, strike)
        await sleep(strike.seconds)
        end(self, strike)
        if strike.kind is Kind.KILLED_AGAIN:
            self.arm(strike.which)
            await sleep(strike.seconds)
            end(self, strike)
        self.at_work -= 1

    async def _late(self, plan: RunPlan, strike: Strike) -> None:
        """From shortly before the Stop on nothing comes through a connection; then what waited there does, in order."""
        await self._event(plan.number, Phase.RUNNING).wait()
        await sleep(max(plan.running - strike.at, 0.1))
        router = self.router(strike)
        router.holding = True
        await self._event(plan.number, Phase.STOP).wait()
        since = self.world.now()
        if strike.phase is Phase.NEXT:
            running = self._event(plan.number, Phase.NEXT)
            await self.world.until(running.is_set, MOST_LATE - strike.seconds)
        await sleep(strike.seconds)
        if strike.kind is Kind.LATE_ONE_BY_ONE:
            await self._one_by_one(router, strike, since + MOST_LATE)
        if strike.kind in GATHERING:
            outside_all(partial(self._disturb_gathering, strike), f"{strike.kind}, then")
        router.holding = False
        while router.waiting:
            router.let_out(3)
            await sleep(PACE)
        self.at_work -= 1

    async def _disturb_gathering(self, strike: Strike) -> None:
        """As soon as somebody is at what came late."""
        self.at_work += 1
        await self.world.until(lambda: is_setting_aside(self.world.clock.now()), MOST_LATE, every=0.02)
        await GATHERING[strike.kind](self, strike)
        self.at_work -= 1

    async def killed_gathering(self, strike: Strike) -> None:
        self.arm(strike.size / 2)
        await sleep(0.2 + 4.0 * strike.which)
        self.revive("files")

    async def away_gathering(self, strike: Strike) -> None:
        await sleep(strike.size)
        self.world.node_faults.away.add(self.node(strike))
        await sleep(1.0 + 10.0 * strike.which)
        self.world.node_faults.away.discard(self.node(strike))

    async def _one_by_one(self, router: LateRouter, strike: Strike, end: float) -> None:
        dice = random.Random(strike.size)
        while router.waiting and self.world.now() < end:
            router.let_out(1)
            await sleep(dice.uniform(0.05, 3.0))

    # Picking the part

    def router(self, strike: Strike) -> LateRouter:
        return _pick([self.detector.late_routers[name] for name in sorted(self.detector.late_routers)], strike.which)

    def node(self, strike: Strike) -> str:
        return self.router(strike).spec.node

    def board(self, strike: Strike) -> str:
        return _pick(sorted(self.detector.boards), strike.which)

    # What happens

    def arm(self, size: float) -> None:
        """The files worker dies at one of its next steps."""
        self.world.parts.files.process.steps_left = int(size * STEPS)

    def revive(self, part: str) -> None:
        """A supervisor starts it again, dead or not."""
        self.world.parts.named(part).process.kill()
        self.world.parts.named(part).start()

    def nobody(self, strike: Strike) -> None:
        for part in ("files", "control", "monitor"):
            self.world.parts.named(part).process.kill()

    def all_back(self) -> None:
        for part in ("files", "control", "monitor"):
            self.revive(part)

    def stall(self, on: bool) -> None:
        self.world.parts.files.process.stalled = on

    def another(self, strike: Strike) -> None:
        """A second worker takes the place of one that stands still, which wakes up later and goes on."""
        standing = self.world.parts.files.process
        standing.stalled = True
        self.standing[strike] = standing
        self.world.parts.files.start()

    def wake_up(self, strike: Strike) -> None:
        self.standing.pop(strike).stalled = False

    def die_writing(self, strike: Strike) -> None:
        self.router(strike).tears = True

    def bring_back(self, strike: Strike) -> None:
        self.router(strike).tears = False
        self.detector.kill(self.router(strike).spec.name, "it died writing")
        self.detector.restart(self.router(strike).spec.name)

    def roll_over(self, strike: Strike) -> None:
        for router in self.detector.late_routers.values():
            router.rollover = 200 + int(strike.size * 4000)

    def no_roll_over(self) -> None:
        for router in self.detector.late_routers.values():
            router.rollover = 1 << 30

    def disorder(self, strike: Strike) -> None:
        self.detector.disorder[self.board(strike)] = random.Random(strike.size)

    def disk(self, strike: Strike, *, full: bool) -> None:
        if full:
            self.detector.fault(self.node(strike), FaultKind.DISK_FULL)
        else:
            self.detector.faults.clear(self.node(strike))

    def set_clock(self, strike: Strike) -> None:
        node = self.detector.nodes.nodes[self.node(strike)]
        step = (1 if strike.size < 0.5 else -1) * 10 ** (4 * strike.which - 1.5)
        node.clock = replace(node.clock, offset=node.clock.offset + step)

    def change_local_time(self, strike: Strike) -> None:
        """Summer time begins or ends, on all nodes."""
        for node in self.detector.nodes.nodes.values():
            hour = 60 if strike.size < 0.5 else -60
            node.clock = replace(node.clock, utc_offset=node.clock.utc_offset + hour)

    def strange_file(self, strike: Strike) -> None:
        router, taken = self.router(strike), self.detector.taken
        data = strange_frames([taken.next(0, "strange").serial for _ in range(1 + int(strike.size * 5))])
        name = _pick(STRANGE_NAMES, strike.size)
        path = f"{router.spec.staging}/{name}"
        inside = self.detector.nodes.nodes[router.spec.node].directories[router.spec.staging]
        if name not in inside:
            self.detector.nodes.write(router.spec.node, path, data)
            written = Written(router.spec.node, router.spec.staging, name, self.world.now(), [data], inside[name])
            self.strange.append(written)


STRANGE_NAMES = (
    "notes.graw",
    "CoBo0_AsAd0 (copy).graw",
    graw_name(0, 1, START.replace(day=21, hour=8), 0),
    graw_name(7, 0, START.replace(year=2027), 3),
    "run_0001.graw",
)


def _pick(things: Sequence[T], which: float) -> T:
    return things[int(which * len(things))]


GATHERING: dict[Kind, Callable[[Injector, Strike], Awaitable[None]]] = {
    Kind.KILLED_GATHERING: Injector.killed_gathering,
    Kind.AWAY_GATHERING: Injector.away_gathering,
}
Act = Callable[[Injector, Strike], object]


def _nothing(injector: Injector, strike: Strike) -> None:
    """It is over by itself."""


def _node_fault(faults: str) -> tuple[Act, Act]:
    """A set of nodes in NodeFaults into which the node comes."""
    return (
        lambda i, s: getattr(i.world.node_faults, faults).add(i.node(s)),
        lambda i, s: getattr(i.world.node_faults, faults).discard(i.node(s)),
    )


HOW: dict[Kind, tuple[Act, Act]] = {
    Kind.ROUTER_RESTARTS_AFTER: (lambda i, s: i.detector.restart(i.router(s).spec.name), _nothing),
    Kind.ROUTER_RESTARTS_DURING: (lambda i, s: i.detector.restart(i.router(s).spec.name), _nothing),
    Kind.ROUTER_DIES_WRITING: (Injector.die_writing, Injector.bring_back),
    Kind.ROLL_OVER: (Injector.roll_over, lambda i, s: i.no_roll_over()),
    Kind.OUT_OF_ORDER: (Injector.disorder, lambda i, s: i.detector.disorder.pop(i.board(s), None)),
    Kind.DISK_FULL: (lambda i, s: i.disk(s, full=True), lambda i, s: i.disk(s, full=False)),
    Kind.NO_ROOM_TO_MOVE: _node_fault("no_room"),
    Kind.KILLED_CLOSING: (lambda i, s: i.arm(s.size), lambda i, s: i.revive("files")),
    Kind.KILLED_AGAIN: (lambda i, s: i.arm(s.size), lambda i, s: i.revive("files")),
    Kind.STALLED_CLOSING: (lambda i, s: i.stall(True), lambda i, s: i.stall(False)),
    Kind.TWO_CLOSING: (Injector.another, Injector.wake_up),
    Kind.NOBODY_CLOSING: (Injector.nobody, lambda i, s: i.all_back()),
    Kind.NODE_AWAY: _node_fault("away"),
    Kind.NODE_HANGS: _node_fault("hanging"),
    Kind.LOST_IN_RENAMES: (
        lambda i, s: i.world.node_faults.breaking.update({i.node(s): int(s.size * 4)}),
        lambda i, s: i.world.node_faults.breaking.pop(i.node(s), None),
    ),
    Kind.ANSWERS_LOST: (
        lambda i, s: i.world.node_faults.losing.update({i.node(s): 1 + int(12 * s.size)}),
        lambda i, s: i.world.node_faults.losing.pop(i.node(s), None),
    ),
    Kind.DATABASE_AWAY: (
        lambda i, s: setattr(i.world.outages, "away", True),
        lambda i, s: setattr(i.world.outages, "away", False),
    ),
    Kind.MESSAGES_LOST: (
        lambda i, s: setattr(i.world.broker, "losing", 0.9),
        lambda i, s: setattr(i.world.broker, "losing", 0.0),
    ),
    Kind.CLOCK_SET: (Injector.set_clock, _nothing),
    Kind.LOCAL_TIME_CHANGED: (Injector.change_local_time, _nothing),
    Kind.STRANGE_FILES: (Injector.strange_file, _nothing),
}
assert set(HOW) | set(LATE) == set(Kind) == set(TIMINGS)
