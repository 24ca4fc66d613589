"""What detector to simulate: the contents of a description file as data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from get_protocol.state_machine import Transition

MUTANT = "Mutant[master]"
"""Data sender id of the MuTAnT (domain.md); CoBos are `CoBo[0]`, `CoBo[1]`, ..."""


def cobo(number: int) -> str:
    """Data sender id of a CoBo."""
    return f"CoBo[{number}]"


@dataclass(frozen=True, slots=True)
class EccServerSpec:
    """One ECC server process: where it listens, which boards it usually drives, on which node it runs."""

    name: str
    address: str
    port: int
    boards: tuple[str, ...]
    node: str


@dataclass(frozen=True, slots=True)
class RouterSpec:
    """One data router process: type (TCP, FDT), working directory as seen on the node, name of its program."""

    name: str
    address: str
    port: int
    link_type: str
    node: str
    staging: str = "/staging"
    program: str = "dataRouter"


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One computer, reached over SSH or through its HTTP agent."""

    name: str
    address: str
    ssh_port: int
    access: str = "ssh"
    agent_port: int = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.agent_port if self.access == "agent" else self.ssh_port


@dataclass(frozen=True, slots=True)
class Physics:
    """Events per second, and whether the configuration files made at first start ask for full readout."""

    event_rate: float = 5.0
    readout: str = "partial"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each operation takes, in seconds at speed 1 (facts 2.3)."""

    speed: float = 1.0
    describe: float = 0.1
    prepare: float = 4.8
    configure: float = 8.4
    start: float = 0.1
    stop: float = 0.5
    breakup: float = 0.5
    undo: float = 0.0

    def duration(self, transition: Transition, boards: Sequence[str]) -> float:
        """Seconds at speed 1: Stop counts each board, a MuTAnT alone is quick, Pause and Resume take no time."""
        durations = {
            Transition.DESCRIBE: self.describe,
            Transition.PREPARE: self.prepare,
            Transition.CONFIGURE: self.configure,
            Transition.START: self.start,
            Transition.STOP: self.stop,
            Transition.BREAKUP: self.breakup,
            Transition.UNDO: self.undo,
        }
        seconds = durations.get(transition, 0.0)
        if transition is Transition.STOP:
            seconds *= max(1, len(boards))
        return min(seconds, 0.05) if list(boards) == [MUTANT] else seconds


@dataclass(frozen=True, slots=True)
class Ssh:
    """Who may log in to the nodes; without an `authorized_keys` file nobody can."""

    user: str = "attpc"
    authorized_keys: Path | None = None
    host_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A whole detector. `boards` are all data sender ids; `mutant` is none, no-readout or readout."""

    ecc_servers: tuple[EccServerSpec, ...]
    data_routers: tuple[RouterSpec, ...]
    nodes: tuple[NodeSpec, ...]
    boards: tuple[str, ...]
    mutant: str = "readout"
    control_address: str = "127.0.0.1"
    control_port: int = 8900
    rollover_bytes: int = 1073741824
    log_frames: bool = False
    physics: Physics = field(default_factory=Physics)
    timing: Timing = field(default_factory=Timing)
    ssh: Ssh = field(default_factory=Ssh)


@dataclass(frozen=True, slots=True)
class Detector:
    """The short form of a description: one node, ECC server and data router for each board, ports counted up.

    The first `agents` nodes are reached through an HTTP agent instead of SSH.
    """

    address: str = "127.0.0.1"
    cobos: int = 10
    mutant: str = "readout"
    ecc_servers: str = "one-each"
    link_type: str = "TCP"
    ecc_port: int = 8083
    data_port: int = 46005
    ssh_port: int = 8022
    agents: int = 0
    agent_port: int = 8080
    program: str = "dataRouter"
    control_port: int = 8900
    rollover_bytes: int = 1073741824
    log_frames: bool = False

    def boards(self) -> tuple[str, ...]:
        """Sender ids, CoBos first."""
        mutant = () if self.mutant == "none" else (MUTANT,)
        return tuple(cobo(number) for number in range(self.cobos)) + mutant

    def make_nodes(self) -> tuple[NodeSpec, ...]:
        names = (f"node-{short_name(board)}" for board in self.boards())
        return tuple(self.node(name, i) for i, name in enumerate(names))

    def node(self, name: str, index: int) -> NodeSpec:
        """The node of the board of this index."""
        access = "agent" if index < self.agents else "ssh"
        return NodeSpec(name, self.address, _port(self.ssh_port, index), access, _port(self.agent_port, index))

    def make_ecc_servers(self, nodes: Sequence[NodeSpec]) -> tuple[EccServerSpec, ...]:
        boards = self.boards()
        if self.ecc_servers == "one-for-all":
            return (EccServerSpec("ecc-all", self.address, self.ecc_port, boards, nodes[0].name),)
        return tuple(
            EccServerSpec(f"ecc-{short_name(board)}", self.address, _port(self.ecc_port, i), (board,), nodes[i].name)
            for i, board in enumerate(boards)
        )

    def make_data_routers(self, nodes: Sequence[NodeSpec]) -> tuple[RouterSpec, ...]:
        """A MuTAnT without readout sends nothing and gets none."""
        senders = [board for board in self.boards() if board != MUTANT or self.mutant == "readout"]
        return tuple(
            RouterSpec(
                f"router-{short_name(board)}",
                self.address,
                _port(self.data_port, i),
                self.link_type,
                nodes[i].name,
                program=self.program,
            )
            for i, board in enumerate(senders)
        )


def short_name(board: str) -> str:
    """`cobo3` for CoBo[3], `mutant` for the MuTAnT: the board's part in names of servers and describe files."""
    return "mutant" if board == MUTANT else board.lower().replace("[", "").replace("]", "")


def board_order(board: str) -> tuple[bool, int]:
    """Sort key: CoBos by number, then the MuTAnT."""
    return board == MUTANT, 0 if board == MUTANT else int(board[5:-1])


def _port(first: int, step: int) -> int:
    return first + step if first else 0
