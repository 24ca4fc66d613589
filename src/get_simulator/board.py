"""One CoBo or MuTAnT board: what it really does, whatever its ECC server believes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from get_simulator.journal import Journal

TICKS_PER_SECOND = 100_000_000
"""Time stamps count 10 ns (facts 5)."""


class BoardUnreachable(Exception):
    """The board's server does not answer: it is dead."""


class BoardRefuses(Exception):
    """The board says no; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What Configure writes into a board, from its configure file (facts 3)."""

    cobo_id: int = 0
    asads: tuple[int, ...] = (0, 1, 2, 3)
    full_readout: bool = False
    fpn_read: bool = False
    depth: int = 512
    external_time_reset: bool = False
    mutant_readout: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """One event as the trigger distributes it: `shape` picks the tracks, `ticks` None if no MuTAnT keeps the time.

    `epoch` counts the MuTAnT's time resets; a board with external time reset restarts its counter when it changes.
    """

    shape: int
    at: float
    ticks: int | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What goes into the header of an event's frames: event number, time in ticks of 10 ns."""

    number: int
    ticks: int
    shape: int


class Uplink(Protocol):
    """A board's data connection to its router."""

    link_type: str

    @property
    def busy(self) -> bool:
        """Whether so much waits to be sent that the board takes no further event."""
        ...

    def send(self, frames: Sequence[bytes]) -> bool:
        """Hand the frames over; False if they are lost, which a real board does not notice."""
        ...

    def close(self) -> None: ...


class FrameSource(Protocol):
    """Makes a board's frames of one event, whole and in order."""

    def frames(self, settings: Settings, stamp: Stamp) -> Sequence[bytes]: ...


class Board:
    """A board with its counters. `sender` is its data sender id; `endpoint` the address and port of its server."""

    def __init__(self, sender: str, endpoint: tuple[str, int], source: FrameSource, journal: Journal) -> None:
        self.sender = sender
        self.endpoint = endpoint
        self.alive = True
        self.described = False
        self.settings: Settings | None = None
        self.uplink: Uplink | None = None
        self.sending = False
        self.paused = False
        self.late_until = 0.0
        self.number = 0
        self.epoch = 0
        self.origin = 0.0
        self.starts = self.events = self.frames_sent = self.frames_lost = self.bytes_sent = 0
        self._source = source
        self._journal = journal

    @property
    def is_mutant(self) -> bool:
        return self.sender.startswith("Mutant")

    def describe(self, now: float) -> None:
        """An ECC server connects: what the board still sent for an earlier one ends."""
        self._reach()
        self.described = True
        self._end(now, "described")

    def prepare(self, now: float) -> None:
        self._session()
        self._end(now, "prepared")

    def unlink(self) -> None:
        """Let go of the data connection, if there is one."""
        if self.uplink is not None:
            self.uplink.close()
            self.uplink = None

    def configure(self, now: float, settings: Settings, uplink: Uplink | None) -> None:
        """Take the settings and, for TCP, the data connection; a MuTAnT resets number and time (domain.md)."""
        self._session()
        self._end(now, "configured")
        self.unlink()
        self.settings, self.uplink = settings, uplink
        if self.is_mutant:
            self._reset(now)

    def start(self, now: float, uplink: Uplink | None) -> None:
        """Begin to take data; `uplink` is the connection just opened, None to go on with that of Configure."""
        self._session()
        if self.settings is None:
            raise BoardRefuses("Could not start run (board is not configured)")
        if uplink is not None:
            self.unlink()
            self.uplink = uplink
        if not self.settings.external_time_reset:
            self._reset(now)
        self.starts += 1
        self.paused, self.late_until, self.sending = False, 0.0, True
        self._journal.record(now, "board", self.sender, did="started", event=self.number)

    def stop(self, now: float, late: float = 0.0) -> None:
        """End data taking; frames still come out for `late` seconds. FDT disconnects at Stop (facts 3)."""
        self._session()
        self.late_until = now + late if late else 0.0
        self._end(now, "stopped")

    def pause(self) -> None:
        self._session()
        self.paused = True

    def breakup(self, now: float) -> None:
        """End data taking and let go of the data connection."""
        self._session()
        self.late_until = 0.0
        self._end(now, "broken up")
        self.settings = None
        self.unlink()

    def die(self, now: float) -> None:
        """The power goes: nothing is sent any more and the connection closes."""
        self.late_until = 0.0
        self._end(now, "died")
        self.alive = self.described = False
        self.settings = None
        self.unlink()

    def boot(self) -> None:
        """Come back up, knowing nothing: an ECC server must Describe it again."""
        self.alive = True

    def active(self, now: float) -> bool:
        """Whether a trigger makes it send."""
        return (self.sending and not self.paused) or now < self.late_until

    def busy(self, now: float) -> bool:
        """Whether it holds all triggers back: the dead time is common to all boards."""
        return self.active(now) and self.uplink is not None and self.uplink.busy

    def take(self, trigger: Trigger) -> None:
        """Read one event out and send its frames, if the board is taking data."""
        if not self.active(trigger.at) or self.settings is None:
            return
        if self.settings.external_time_reset and trigger.epoch != self.epoch and not self.is_mutant:
            self.number, self.epoch = 0, trigger.epoch
        stamp = Stamp(self.number, self._ticks(trigger), trigger.shape)
        self.number += 1
        self.events += 1
        if self.uplink is not None:
            self._send(self._source.frames(self.settings, stamp))

    def settle(self, now: float) -> None:
        """Close an FDT connection that was kept for late frames."""
        if self.uplink is not None and self.uplink.link_type == "FDT" and not self.sending and now >= self.late_until:
            self.unlink()

    def _send(self, frames: Sequence[bytes]) -> None:
        if not frames or self.uplink is None:
            return
        if self.uplink.send(frames):
            self.frames_sent += len(frames)
            self.bytes_sent += sum(map(len, frames))
        else:
            self.frames_lost += len(frames)

    def _ticks(self, trigger: Trigger) -> int:
        if trigger.ticks is not None:
            return trigger.ticks
        return int((trigger.at - self.origin) * TICKS_PER_SECOND)

    def _reset(self, now: float) -> None:
        self.number, self.origin = 0, now
        self.epoch += self.is_mutant

    def _end(self, now: float, why: str) -> None:
        if self.sending:
            self.sending = self.paused = False
            self._journal.record(now, "board", self.sender, did=why, event=self.number)
        self.settle(now)

    def _reach(self) -> None:
        if not self.alive:
            raise BoardUnreachable(self.sender)

    def _session(self) -> None:
        self._reach()
        if not self.described:
            raise BoardRefuses("the board was restarted and does not know this ECC server")
