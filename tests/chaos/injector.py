"""Makes the faults of a schedule happen, and takes them back when their time is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from get_protocol.ecc_messages import Operation
from get_simulator.faults import FaultKind
from tests.chaos.ecc_port import MOMENTS
from tests.chaos.evidence import Outage
from tests.chaos.faults import Kind, Strike
from tests.chaos.page import disagreements, look
from tests.chaos.processes import outside_all
from tests.chaos.virtual_time import sleep
from tests.chaos.world import World

T = TypeVar("T")
PATIENCE = 12.0


@dataclass
class Injector:
    """Everything that strikes in one cycle."""

    world: World
    outages: list[Outage] = field(default_factory=list)
    at_work: int = 0
    begun: int = 0
    right_after: dict[str, float] = field(default_factory=dict)
    """Kind of fault -> seconds from its end until the page was right, where nothing else struck meanwhile."""

    def begin(self, strikes: Sequence[Strike]) -> None:
        for strike in strikes:
            self.at_work += 1
            outside_all(partial(self._strike, strike), str(strike.kind))

    async def _strike(self, strike: Strike) -> None:
        await sleep(max(strike.at + 0.2, 0.0))
        begin, end = HOW[strike.kind]
        self.begun += 1
        begin(self, strike)
        await sleep(strike.seconds)
        end(self, strike)
        self.at_work -= 1
        await self._until_right(strike)

    async def _until_right(self, strike: Strike) -> None:
        since, begun = self.world.now(), self.begun
        if self.at_work:
            return
        while disagreements(look(self.world), self.world.hardware) and self.world.now() - since < PATIENCE:
            await sleep(0.5)
        if self.begun == begun:
            self.right_after[strike.kind] = self.world.now() - since

    # Picking the part

    def server(self, strike: Strike) -> str:
        return _pick(sorted(self.world.hardware.ecc), strike.which)

    def board(self, strike: Strike) -> str:
        return _pick(sorted(self.world.hardware.boards), strike.which)

    def router(self, strike: Strike) -> str:
        return _pick(sorted(self.world.hardware.routers), strike.which)

    def node(self, strike: Strike) -> str:
        return _pick(sorted(self.world.hardware.nodes.nodes), strike.which)

    # Hardware

    def fault(self, kind: FaultKind, target: str, strike: Strike, **more: object) -> None:
        self.world.hardware.fault(target, kind, Operation(strike.operation), **more)

    def lie(self, strike: Strike) -> None:
        self.world.hardware.ecc[self.server(strike)].lies[Operation(strike.operation)] = 1

    def kill_hardware(self, name: str) -> None:
        self.world.hardware.kill(name, "fault")

    def bring_back(self, name: str) -> None:
        """Restart it if it is dead; a board or a process that somebody restarted already lives."""
        if not self.world.hardware.alive(name):
            self.world.hardware.restart(name)

    def thaw(self, strike: Strike) -> None:
        self.world.hardware.ecc[self.server(strike)].frozen = False
        self.world.hardware.look_again()

    def clear(self, target: str) -> None:
        self.world.hardware.faults.clear(target)
        self.world.hardware.look_again()

    # The product's parts

    def kill(self, part: str, strike: Strike) -> None:
        self.world.parts.named(part).process.kill()
        self._away(part, strike)

    def kill_writing(self, part: str, strike: Strike) -> None:
        self.world.parts.named(part).process.statements_left = int(strike.size * 40)
        self._away(part, strike)

    def revive(self, part: str) -> None:
        """A supervisor starts it again, if it died."""
        process = self.world.parts.named(part).process
        process.kill()
        self.world.parts.named(part).start()

    def kill_calling(self, strike: Strike) -> None:
        self.world.wire.deadly = MOMENTS[int(strike.size * len(MOMENTS))]
        self._away("control", strike)

    def after_the_call(self) -> None:
        """Whoever died of it is started again."""
        self.world.wire.deadly = ""
        for part in ("control", "monitor"):
            if not self.world.parts.named(part).process.alive:
                self.revive(part)

    def stall(self, part: str, strike: Strike) -> None:
        self.world.parts.named(part).process.stalled = True
        self._away(part, strike)

    def go_on(self, part: str) -> None:
        self.world.parts.named(part).process.stalled = False

    def no_worker(self, strike: Strike) -> None:
        self.kill("control", strike)
        self.kill("files", strike)

    def nobody(self, strike: Strike) -> None:
        self.no_worker(strike)
        self.kill("monitor", strike)

    def all_back(self) -> None:
        self.workers_back()
        self.revive("monitor")

    def workers_back(self) -> None:
        self.revive("control")
        self.revive("files")

    def broker(self, strike: Strike, **states: bool) -> None:
        for name, value in states.items():
            setattr(self.world.broker, name, value)

    def database(self, away: bool, strike: Strike) -> None:
        self.world.outages.away = away
        if away:
            self._away("database", strike)

    def _away(self, part: str, strike: Strike) -> None:
        self.outages.append(Outage(part, self.world.now(), self.world.now() + strike.seconds))


def _pick(names: Sequence[T], which: float) -> T:
    return names[int(which * len(names))]


How = tuple[Callable[[Injector, Strike], None], Callable[[Injector, Strike], None]]


def _nothing(injector: Injector, strike: Strike) -> None:
    """It is over by itself."""


def _call_fault(kind: FaultKind, **more: object) -> How:
    """A fault that waits for the operation, once."""
    return (
        lambda i, s: i.fault(kind, i.server(s), s, times=1, **more),
        lambda i, s: i.clear(i.server(s)),
    )


def _killed(part: str, *, writing: bool = False) -> How:
    begin = Injector.kill_writing if writing else Injector.kill
    return (lambda i, s: begin(i, part, s), lambda i, s: i.revive(part))


def _stalls(part: str) -> How:
    return (lambda i, s: i.stall(part, s), lambda i, s: i.go_on(part))


def _broken(**states: bool) -> How:
    return (lambda i, s: i.broker(s, **states), lambda i, s: i.world.broker.restart(forgets=False))


def _messages(name: str, value: float) -> How:
    return (
        lambda i, s: setattr(i.world.broker, name, value),
        lambda i, s: setattr(i.world.broker, name, 0.0),
    )


HOW: dict[Kind, How] = {
    Kind.ECC_REFUSES: _call_fault(FaultKind.REFUSE),
    Kind.BOARD_FAILS: (
        lambda i, s: i.fault(FaultKind.FAIL, i.board(s), s, times=1),
        lambda i, s: i.clear(i.board(s)),
    ),
    Kind.CALL_HANGS: (
        lambda i, s: i.fault(FaultKind.HANG, i.server(s), s),
        lambda i, s: i.clear(i.server(s)),
    ),
    Kind.CALL_IS_SLOW: (
        lambda i, s: i.fault(FaultKind.SLOW, i.server(s), s, times=1, seconds=1.0 + 8.0 * s.size),
        lambda i, s: i.clear(i.server(s)),
    ),
    Kind.CALL_LOST: _call_fault(FaultKind.DROP),
    Kind.ANSWER_LOST: _call_fault(FaultKind.DROP, after=True),
    Kind.ECC_LIES: (Injector.lie, _nothing),
    Kind.ECC_WEDGES: (lambda i, s: i.world.hardware.wedge(i.server(s)), _nothing),
    Kind.ECC_DIES: (lambda i, s: i.kill_hardware(i.server(s)), lambda i, s: i.bring_back(i.server(s))),
    Kind.ECC_DIES_IN_CALL: (
        lambda i, s: i.fault(FaultKind.DIE, i.server(s), s, times=1),
        lambda i, s: (i.clear(i.server(s)), i.bring_back(i.server(s)))[0],
    ),
    Kind.ECC_GONE: (lambda i, s: i.kill_hardware(i.server(s)), _nothing),
    Kind.ECC_FREEZES: (lambda i, s: i.world.hardware.freeze(i.server(s)), Injector.thaw),
    Kind.BOARD_DIES: (lambda i, s: i.kill_hardware(i.board(s)), lambda i, s: i.bring_back(i.board(s))),
    Kind.LATE_FRAMES: (
        lambda i, s: i.world.hardware.fault(
            i.server(s), FaultKind.LATE_FRAMES, None, times=1, seconds=0.5 + 5.0 * s.size
        ),
        lambda i, s: i.clear(i.server(s)),
    ),
    Kind.ROUTER_RESTARTS: (
        lambda i, s: i.world.hardware.restart(i.router(s)),
        _nothing,
    ),
    Kind.ROUTER_DIES: (lambda i, s: i.kill_hardware(i.router(s)), lambda i, s: i.bring_back(i.router(s))),
    Kind.ROUTER_SILENT: (
        lambda i, s: i.world.hardware.fault(i.router(s), FaultKind.SILENT),
        lambda i, s: i.clear(i.router(s)),
    ),
    Kind.DISK_FULL: (
        lambda i, s: i.world.hardware.fault(i.node(s), FaultKind.DISK_FULL),
        lambda i, s: i.clear(i.node(s)),
    ),
    Kind.NODE_DIES: (lambda i, s: i.kill_hardware(i.node(s)), lambda i, s: i.bring_back(i.node(s))),
    Kind.NODE_HANGS: (
        lambda i, s: i.world.node_faults.hanging.add(i.node(s)),
        lambda i, s: i.world.node_faults.hanging.discard(i.node(s)),
    ),
    Kind.NODE_LOSES: (
        lambda i, s: i.world.node_faults.losing.update({i.node(s): 1 + int(4 * s.size)}),
        lambda i, s: i.world.node_faults.losing.clear(),
    ),
    Kind.WEB_KILLED: _killed("web", writing=True),
    Kind.WORKER_KILLED: _killed("control"),
    Kind.WORKER_KILLED_WRITING: _killed("control", writing=True),
    Kind.WORKER_KILLED_CALLING: (Injector.kill_calling, lambda i, s: i.after_the_call()),
    Kind.WORKER_STALLS: _stalls("control"),
    Kind.MONITOR_STALLS: _stalls("monitor"),
    Kind.FILES_WORKER_KILLED: _killed("files"),
    Kind.MONITOR_KILLED: _killed("monitor"),
    Kind.MONITOR_KILLED_WRITING: _killed("monitor", writing=True),
    Kind.NO_WORKER: (Injector.no_worker, lambda i, s: i.workers_back()),
    Kind.NOBODY: (Injector.nobody, lambda i, s: i.all_back()),
    Kind.BROKER_STOPPED: _broken(stopped=True),
    Kind.BROKER_STALLED: _broken(stalled=True),
    Kind.BROKER_FORGETS: (
        lambda i, s: i.broker(s, stopped=True),
        lambda i, s: i.world.broker.restart(forgets=True),
    ),
    Kind.MESSAGES_LOST: _messages("losing", 0.7),
    Kind.MESSAGES_TWICE: _messages("doubling", 0.9),
    Kind.MESSAGES_LATE: _messages("delay", 20.0),
    Kind.DATABASE_AWAY: (lambda i, s: i.database(True, s), lambda i, s: i.database(False, s)),
    Kind.CLOCK_FORWARD: (lambda i, s: i.world.clock.step(10 ** (3 * s.size)), _nothing),
    Kind.CLOCK_BACK: (lambda i, s: i.world.clock.step(-(10 ** (3 * s.size))), _nothing),
    Kind.NETWORK_SLOW: (
        lambda i, s: setattr(i.world.wire, "slow", 0.05 + 0.4 * s.size),
        lambda i, s: setattr(i.world.wire, "slow", 0.0),
    ),
}
