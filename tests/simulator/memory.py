"""Boards, disk and data connections without sockets: for tests that keep the time themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, LinkType, encode_data_link_set
from get_protocol.ecc_messages import OPERATION_OF, Request, TextReply
from get_protocol.state_machine import Transition
from get_simulator.board import Board, Uplink
from get_simulator.config_files import endpoint, make_files
from get_simulator.description_file import describe
from get_simulator.ecc_service import EccService, Later
from get_simulator.faults import FaultBook
from get_simulator.journal import Journal
from get_simulator.pace import Pace
from get_simulator.physics import CoboFrames, MutantFrames
from get_simulator.repository import Repository


class ManualClock:
    """Simulated time: it moves only when told to."""

    def __init__(self, start: float = 1_000_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; a negative step is a mistake (ValueError)."""
        if seconds < 0:
            raise ValueError(f"seconds: must not be negative, not {seconds}")
        self._now += seconds


class MemoryFiles:
    """Files that are only in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def names(self) -> list[str]:
        return list(self.files)

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def path(self, name: str) -> str:
        return f"/configs/{name}"


@dataclass
class MemoryUplink:
    """Keeps what is sent."""

    link_type: str = "TCP"
    sent: list[bytes] = field(default_factory=list)
    closed: bool = False
    busy: bool = False

    def send(self, frames: Sequence[bytes]) -> bool:
        self.sent += frames
        return not self.closed

    def close(self) -> None:
        self.closed = True


@dataclass
class MemoryDisk:
    """Files in memory; `full` makes it refuse everything."""

    files: dict[str, bytes] = field(default_factory=dict)
    full: bool = False

    def append(self, name: str, data: bytes) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        self.files[name] = self.files.get(name, b"") + data
        return len(self.files[name])


class Bench:
    """One ECC server with its boards, a clock and in-memory data connections."""

    def __init__(self, *boards: str, speed: float = 1.0) -> None:
        self.clock, self.faults, self.journal = ManualClock(), FaultBook(), Journal()
        description = describe({"detector": {"cobos": 3, "ecc_servers": "one-for-all"}})
        self.files = MemoryFiles(make_files(description, description.nodes[0].name))
        self.boards = {
            name: Board(name, endpoint(name), source, self.journal)
            for name, source in (
                ("CoBo[0]", CoboFrames(0, 3)),
                ("CoBo[1]", CoboFrames(1, 3)),
                ("CoBo[2]", CoboFrames(2, 3)),
                ("Mutant[master]", MutantFrames()),
            )
        }
        hardware = {board.endpoint: board for board in self.boards.values()}
        pace = Pace(description.timing, speed, 5.0)
        repository = Repository(self.files)
        self.service = EccService("ecc", boards, hardware, repository, pace, self.faults, self.journal)
        self.uplinks: dict[str, MemoryUplink] = {}
        self.refused = ""

    def request(self, transition: Transition, describe: str = "cobo0", configure: str = "experiment") -> Request:
        links = [DataLink(sender, "data", "127.0.0.1", 46005, LinkType.TCP) for sender in self.boards]
        config = ConfigId(describe, configure, configure)
        return Request(OPERATION_OF[transition], config.to_xml(), encode_data_link_set(links))

    def finish(self, later: Later) -> TextReply:
        """Let the time pass that it takes, and connect every data link (or none, if `refused` says why)."""
        self.clock.advance(max(later.at - self.clock.now(), 0.0))
        assert self.service.due(later, self.clock.now())
        dialled: dict[str, Uplink | str] = {}
        for dial in later.dials:
            self.uplinks[dial.board.sender] = MemoryUplink(dial.link.type)
            dialled[dial.board.sender] = self.refused or self.uplinks[dial.board.sender]
        reply = self.service.finish(later, self.clock.now(), dialled)
        assert isinstance(reply, TextReply)
        return reply

    def call(self, request: Request) -> TextReply:
        """The request's reply, however long it takes."""
        outcome = self.service.receive(request, self.clock.now())
        reply = self.finish(outcome) if isinstance(outcome, Later) else outcome
        assert isinstance(reply, TextReply)
        return reply

    def go(self, *transitions: Transition, describe: str = "cobo0", configure: str = "experiment") -> None:
        for transition in transitions:
            reply = self.call(self.request(transition, describe, configure))
            assert reply.error_code == 0, reply
