"""What the product may ask of the outside world; every port has a real gateway and a shipped in-memory twin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from attpcdaq.gateways.errors import GatewayError
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink
from get_protocol.ecc_messages import StateReply, TextReply
from get_protocol.state_machine import Transition


@dataclass(frozen=True, slots=True)
class EccAddress:
    """Where an ECC server listens."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """How a node is reached by SSH; an empty user means the one of the settings."""

    name: str
    host: str
    port: int
    user: str = ""


@dataclass(frozen=True, slots=True)
class RouterQuery:
    """Which data router to look at on a node."""

    name: str
    process_name: str
    port: int
    staging_dir: str


@dataclass(frozen=True, slots=True)
class GrawFile:
    """A file in a staging directory: base name, bytes, modification time in seconds since the epoch."""

    name: str
    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class RouterReading:
    """What a node says of one data router; last_event is None when no frame is on disk, pid when it is not online."""

    online: bool
    files: tuple[GrawFile, ...]
    last_event: int | None
    disk_free: int | None
    disk_total: int | None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class MovedFile:
    """Where a file lies now (absolute path on the node) and its bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command on a node came to: exit status (0 is success) and the end of what it printed."""

    exit_status: int
    output: str


class EccPort(Protocol):
    """SOAP to the ECC servers. Deadlines in seconds; nothing is ever sent twice."""

    async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
        """The server's state. Unreachable, NoAnswer, BadReply."""

    async def get_config_ids(self, server: EccAddress, timeout: float) -> tuple[ConfigId, ...]:
        """Every configuration the server lists (those of all boards). Refused too."""

    async def transition(
        self, server: EccAddress, transition: Transition, config: ConfigId, links: Sequence[DataLink], timeout: float
    ) -> TextReply:
        """One blocking call; Refused carries the server's own words. LocalProtocolError: nothing was sent."""

    async def close(self) -> None:
        """Give up all connections."""


class NodePort(Protocol):
    """SSH and SFTP to the nodes; connections are reused."""

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        """One look at processes, files and disk, by router name; an error where only that router's look failed."""

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        """The .graw files directly in `directory`; Refused when it does not exist."""

    async def move_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        """Rename files of `source` into `destination` (made if missing); never over another (Refused, naming it)."""

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        """Copy files as they are; an identical copy already there counts as done, another one is Refused."""

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        """Run one command line in the shell of the node and wait for its end, whatever its exit status.

        Unreachable: it was not begun. NoAnswer: it had not ended when the time ran out, or the connection was lost;
        what it did is unknown, and it may still be running. Refused: it is no command line; nothing was sent.
        """

    async def close(self) -> None:
        """Give up all connections."""
