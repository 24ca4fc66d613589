"""What the HTTP agent of a node cannot do is refused in plain words; nothing is sent."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import (
    CLOCK_KNOWN,
    Abilities,
    CommandResult,
    FileScan,
    FileStat,
    GrawFile,
    MovedFile,
    NodeAddress,
    NodeClock,
    ShownKey,
    Tail,
)


def cannot(node: NodeAddress, what: str) -> NoReturn:
    """Refused: `what` is beyond the agent."""
    raise Refused(f"node {node.name} is reached through its HTTP agent, which cannot {what}")


class AgentLimits:
    """The part of NodePort that every node with an agent refuses."""

    def abilities(self, node: NodeAddress) -> Abilities:
        return Abilities(files=False, commands=False, clock=False)

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        cannot(node, "list files")

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        cannot(node, "move single files")

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        cannot(node, "read files")

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        cannot(node, "read logs")

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        cannot(node, "look at files")

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        cannot(node, "write files")

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        cannot(node, "check files")

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        cannot(node, "look into files")

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        cannot(node, "tell its clock")

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        cannot(node, "show a host key: it proves nothing of who it is")

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        cannot(node, "copy files")

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        cannot(node, "run commands")
