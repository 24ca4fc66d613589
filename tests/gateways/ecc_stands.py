"""An ECC server to hold the port against: in memory, or simulated and reached over a real socket."""

from pathlib import Path
from typing import Protocol

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.errors import NoAnswer, Refused
from attpcdaq.gateways.ports import EccAddress, EccPort
from attpcdaq.testing.memory_ecc import MemoryEcc
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, LinkType
from get_protocol.ecc_messages import OPERATION_OF, Operation
from get_protocol.state_machine import Transition
from get_simulator.clock import SystemClock
from get_simulator.description_file import describe
from get_simulator.detector import Detector
from get_simulator.faults import Fault, FaultKind

CONFIG = ConfigId("cobo0", "experiment", "experiment")
NAME = "ecc-cobo0"


class EccStand(Protocol):
    """One server `ecc-cobo0` that drives CoBo[0], Idle at the beginning, and what can be done to it."""

    port: EccPort
    server: EccAddress
    links: tuple[DataLink, ...]

    def slow(self, transition: Transition, seconds: float) -> None: ...
    def refuse(self, transition: Transition, message: str) -> None: ...
    def lose_answer(self, transition: Transition) -> None: ...
    def hang(self) -> None: ...
    def die(self) -> None: ...
    async def restart(self) -> None: ...
    def wedge(self) -> None: ...
    async def close(self) -> None: ...


class MemoryStand:
    """The twin."""

    def __init__(self) -> None:
        self.twin = MemoryEcc()
        self.port: EccPort = self.twin
        self.server = EccAddress(NAME, "127.0.0.1", 8083)
        self.links = (DataLink("CoBo[0]", "router-cobo0", "127.0.0.1", 46005, LinkType.TCP),)
        others = [ConfigId("cobo1", "experiment", "experiment"), ConfigId("cobo0", "fullreadout", "fullreadout")]
        self.twin.add(NAME, ["CoBo[0]"], config_ids=[CONFIG, *others])

    def slow(self, transition: Transition, seconds: float) -> None:
        self.twin.durations[transition] = seconds

    def refuse(self, transition: Transition, message: str) -> None:
        self.twin.fail(NAME, transition, Refused(message, int(transition)), times=1)

    def lose_answer(self, transition: Transition) -> None:
        self.twin.fail(NAME, transition, NoAnswer(f"{NAME}: lost"), times=1, takes_effect=True)

    def hang(self) -> None:
        self.twin.hang(NAME)

    def die(self) -> None:
        self.twin.take_down(NAME)

    async def restart(self) -> None:
        self.twin.restart(NAME)

    def wedge(self) -> None:
        self.twin.wedge(NAME)

    async def close(self) -> None:
        await self.port.close()


class SimulatedStand:
    """The real gateway against a simulated detector in the same event loop."""

    def __init__(self, data: Path) -> None:
        ports = {"ecc_port": 0, "data_port": 0, "ssh_port": 0, "control_port": 0}
        tables = {"detector": {"cobos": 2, "mutant": "none", **ports}, "timing": {"speed": 200.0}}
        self.detector = Detector(describe(tables), data, SystemClock())
        self.port: EccPort = EccSoap()

    async def start(self) -> None:
        await self.detector.start()
        self.server = EccAddress(NAME, "127.0.0.1", self.detector.ecc_servers[NAME].port)
        data_port = self.detector.routers["router-cobo0"].port
        self.links = (DataLink("CoBo[0]", "router-cobo0", "127.0.0.1", data_port, LinkType.TCP),)

    def slow(self, transition: Transition, seconds: float) -> None:
        self._fault(FaultKind.SLOW, OPERATION_OF[transition], seconds=seconds)

    def refuse(self, transition: Transition, message: str) -> None:
        self._fault(FaultKind.REFUSE, OPERATION_OF[transition], message=message)

    def lose_answer(self, transition: Transition) -> None:
        self._fault(FaultKind.DROP, OPERATION_OF[transition], after=True)

    def hang(self) -> None:
        for operation in (Operation.GET_STATE, Operation.GET_CONFIG_IDS, Operation.DESCRIBE):
            self._fault(FaultKind.HANG, operation)

    def die(self) -> None:
        self.detector.kill(NAME, "test")

    async def restart(self) -> None:
        await self.detector.restart(NAME)

    def wedge(self) -> None:
        self._fault(FaultKind.WEDGE)

    async def close(self) -> None:
        await self.port.close()
        await self.detector.stop()

    def _fault(
        self, kind: FaultKind, operation: Operation | None = None, *, message: str | None = None,
        seconds: float | None = None, after: bool = False,
    ) -> None:  # fmt: skip
        self.detector.set_fault(Fault(NAME, kind, operation, message, seconds, times=1, after=after))
