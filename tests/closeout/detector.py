"""The simulated detector with such routers and frames, and the world around it."""

import random
from collections.abc import Callable
from functools import partial

from attpcdaq.gateways.ports import NodeClock
from attpcdaq.runlog.models import OPEN_STATES, Run
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology.models import ConfigSet, ECCServer
from get_simulator.board import FrameSource
from get_simulator.description import Description, RouterSpec
from tests.chaos.hardware import Hardware
from tests.chaos.virtual_time import VirtualLoop
from tests.chaos.world import Shape, World, build
from tests.closeout.frames import TaggedFrames, Taken
from tests.closeout.plan import BlockPlan, Habit
from tests.closeout.router import LateRouter

SHAPES = (Shape(), Shape(cobos=3, mutant_readout=False), Shape(one_for_all=True))
APPENDING = "exttime"
"""The simulator's configuration with useExternalTimeReset (facts 4)."""


class Detector(Hardware):
    """Boards whose frames say whose they are, and routers that remember."""

    def __init__(
        self, description: Description, nodes: MemoryNodes, now: Callable[[], float], epoch: Callable[[], float]
    ) -> None:
        self.taken = Taken(current_run)
        self.disorder: dict[str, random.Random] = {}
        """Boards whose event numbers come out of order just now, with their dice."""
        self.late_routers: dict[str, LateRouter] = {}
        super().__init__(description, nodes, now, epoch)

    def make_router(self, spec: RouterSpec) -> LateRouter:
        router = LateRouter(spec, self.nodes.nodes[spec.node], self.faults, self)
        self.late_routers[spec.name] = router
        return router

    def make_frames(self, board: str) -> FrameSource:
        return TaggedFrames(board, self.taken, lambda: self.boards[board].starts, partial(self.disorder.get, board))


def current_run() -> int:
    """Number of the run that is open; 0 for none."""
    return Run.objects.filter(state__in=OPEN_STATES).values_list("number", flat=True).first() or 0


def build_world(loop: VirtualLoop, plan: BlockPlan) -> tuple[World, Detector]:
    """A detector at rest with the habits of the block."""
    world = build(loop, plan.seed, SHAPES[plan.number % len(SHAPES)], Detector)
    detector = world.hardware
    assert isinstance(detector, Detector)
    if Habit.TIME_RESET in plan.habits:
        for server in ECCServer.objects.all():
            row, _ = ConfigSet.objects.get_or_create(
                ecc_server=server, describe=server.describe_name, prepare=APPENDING, configure=APPENDING
            )
            ECCServer.objects.filter(pk=server.pk).update(config_set=row)
    for name, node in detector.nodes.nodes.items():
        wrong = plan.offset if name == min(detector.nodes.nodes) else 0.0
        node.clock = NodeClock(wrong, 0.0005, plan.utc_offset)
    return world, detector
