"""What the product may ask of the outside world; every port has a real gateway and a shipped in-memory twin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from attpcdaq.gateways.errors import GatewayError
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink
from get_protocol.ecc_messages import StateReply, TextReply
from get_protocol.graw_scan import Summary
from get_protocol.state_machine import Transition

CLOCK_KNOWN = 0.005
"""Seconds: nobody needs to know a node's clock better."""
HEAD_BYTES = 256
"""Enough for the header of any frame (facts 5)."""


@dataclass(frozen=True, slots=True)
class EccAddress:
    """Where an ECC server listens."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """How a node is reached; an empty user means the one of the settings."""

    name: str
    host: str
    port: int
    user: str = ""
    access: Literal["ssh", "agent"] = "ssh"
    host_keys: tuple[str, ...] = ()
    """Pinned host keys, each as type and key in a known_hosts file; those of the settings' file count too."""


@dataclass(frozen=True, slots=True)
class RouterQuery:
    """Which data router to look at on a node."""

    name: str
    process_name: str
    port: int
    staging_dir: str
    log_file: str = ""


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
    hears: bool | None = None
    """Its process listens on the data port or is connected (facts 4: it may be alive and deaf); None: not known."""
    counted: tuple[int, int] | None = None
    """Number of files and bytes where their names cannot be told (an agent's node); `files` is empty then."""


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


@dataclass(frozen=True, slots=True)
class FileStat:
    """Bytes, and modification time in seconds since the epoch."""

    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bytes of a file, and what the file was when they were read: bytes, seconds since the epoch."""

    data: bytes
    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class FileScan:
    """What is in a data file: SHA-256 in hexadecimal (empty when not asked for), and a summary of its frames."""

    size: int
    sha256: str
    summary: Summary


@dataclass(frozen=True, slots=True)
class NodeClock:
    """A node's clock: seconds it is ahead of ours, their possible error, minutes its local time is ahead of UTC."""

    offset: float
    error: float
    utc_offset: int


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A host key that a node shows: type and key as in a known_hosts file, and its SHA256 fingerprint."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a node's access can do; what is False is Refused with words."""

    files: bool = True
    """List, move, read, write and scan files."""
    commands: bool = True
    clock: bool = True


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

    def abilities(self, node: NodeAddress) -> Abilities:
        """What may be asked of this node; nothing is sent."""

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        """Rename files of `source` (name -> new name) into `destination`, made if missing; never over another.

        In the order of `moves`. Refused names what was not moved and what was.
        """

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        """A whole file of at most 64 MiB. Refused (code MISSING) when there is none."""

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        """The last `most` bytes (1 to 1 MiB) of a file that may grow, shrink or be another one at any moment.

        Refused (code MISSING) when there is none, and when it is no ordinary file.
        """

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        """By path; None where there is no such file."""

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        """Put a file of ours there, whole or not at all, its directory being made; an older one is replaced at once."""

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        """What is in these data files, by name; on the node itself where it has a Python 3.8, else read from here.

        `timeout` is for the connection and for each file to make progress, not for all of it.
        """

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        """The first HEAD_BYTES of each file, by name, however large it is; one that cannot be read is left out."""

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        """The node's clock compared with ours, now; asked a few times unless known to `good_enough` seconds."""

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        """The key that the node shows, trusted or not; nobody logs in."""

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        """Let an agent move what lies in its data path to `experiment`/run_NNNN; Refused where there is none."""

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
