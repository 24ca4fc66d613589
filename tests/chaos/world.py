"""Everything put together: rows, simulated detector, the product's processes, and the crew's view of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection

from attpcdaq.gateways.ports import CommandResult
from attpcdaq.runcontrol import publish
from attpcdaq.runlog.models import Experiment
from attpcdaq.testing.builders import FIRST_DATA_PORT, FIRST_ECC_PORT, RESTART, build_detector, memory_nodes
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_simulator.description import Description
from get_simulator.description_file import describe
from tests.chaos import broker as broker_module
from tests.chaos.broker import Broker
from tests.chaos.database import Outages
from tests.chaos.ecc_port import ChaosEcc, Wire
from tests.chaos.hardware import Hardware
from tests.chaos.node_port import ChaosNodes, NodeFaults
from tests.chaos.parts import Gear, Parts
from tests.chaos.virtual_time import Clock, VirtualLoop, sleep

MakeHardware = Callable[[Description, MemoryNodes, Callable[[], float], Callable[[], float]], Hardware]
SPEED = 2.0
EVENT_RATE = 4.0
DEADLINES = {"describe": 6, "prepare": 10, "configure": 12, "start": 6, "stop": 6, "breakup": 6, "undo": 6}


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of detector: its CoBos, and who drives them."""

    cobos: int = 2
    mutant_readout: bool = True
    one_for_all: bool = False


SHAPES = (Shape(), Shape(cobos=3, mutant_readout=False), Shape(one_for_all=True))


@dataclass
class World:
    """One detector with one installation of the product."""

    loop: VirtualLoop
    clock: Clock
    hardware: Hardware
    wire: Wire
    node_faults: NodeFaults
    outages: Outages
    broker: Broker
    parts: Parts
    servers: dict[str, tuple[str, ...]]
    routers: dict[str, str]
    gear: Gear

    def now(self) -> float:
        return self.clock.monotonic()

    def start(self) -> None:
        self.hardware.start()
        self.parts.start()

    async def until(self, shown: Callable[[], bool], limit: float, every: float = 0.1) -> bool:
        """Wait for a condition, `limit` seconds at the most; whether it came."""
        end = self.now() + limit
        while not shown():
            if self.now() >= end:
                return False
            await sleep(every)
        return True

    async def wait(self, seconds: float) -> None:
        await sleep(seconds)

    def close(self) -> None:
        broker_module.current.remove(self.broker)
        connection.execute_wrappers.remove(self.outages)


def build(loop: VirtualLoop, seed: str, shape: Shape = SHAPES[0], make_hardware: MakeHardware = Hardware) -> World:
    """A detector at rest, and everything of the product not yet started."""
    _empty_tables()
    rows = build_detector(cobos=shape.cobos, mutant_readout=shape.mutant_readout, one_for_all=shape.one_for_all)
    for server in rows.ecc_servers:
        server.deadlines = DEADLINES
        server.save(update_fields=["deadlines"])
    Experiment.objects.create(name="e20009", is_active=True)
    clock = Clock(loop)
    nodes = memory_nodes(rows, MemoryNodes(sleep=sleep, wall_time=clock.epoch))
    for node in nodes.nodes.values():
        node.routers.clear()  # the simulated processes tell of themselves
    hardware = make_hardware(describe(_description(shape)), nodes, clock.monotonic, clock.epoch)
    for name in (*hardware.ecc, *hardware.routers):
        nodes.teach(hardware.node_of(name), RESTART.format(name=name), partial(_restarted, hardware, name))
    rng = random.Random(seed)
    wire, node_faults, outages = Wire(rng, []), NodeFaults(), Outages()
    broker = Broker(rng, lambda message: False)
    gear = Gear(clock, ChaosEcc(hardware, wire), ChaosNodes(hardware, wire, node_faults, clock), broker)
    parts = Parts(gear)
    broker_module.current.append(broker)
    connection.execute_wrappers.append(outages)
    loop.after_writing = lambda: published(broker)
    servers = {name: one.spec.boards for name, one in hardware.ecc.items()}
    routers = {source.data_router.name: source.sender_id for source in rows.data_sources if source.data_router}
    return World(loop, clock, hardware, wire, node_faults, outages, broker, parts, servers, routers, gear)


def _restarted(hardware: Hardware, name: str) -> CommandResult:
    hardware.restart(name)
    return CommandResult(0, "")


def _description(shape: Shape) -> dict[str, Any]:
    detector = {
        "cobos": shape.cobos,
        "mutant": "readout" if shape.mutant_readout else "no-readout",
        "ecc_servers": "one-for-all" if shape.one_for_all else "one-each",
        "ecc_port": FIRST_ECC_PORT,
        "data_port": FIRST_DATA_PORT,
    }
    return {"detector": detector, "timing": {"speed": SPEED}, "physics": {"event_rate": EVENT_RATE}}


def published(broker: Broker) -> None:
    """What was just published is on its way before time goes on."""
    publish.sender.submit(int).result()
    broker.collect()


def _empty_tables() -> None:
    from django.core.management import call_command

    call_command("flush", verbosity=0, interactive=False)
