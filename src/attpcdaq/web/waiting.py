"""What is being waited for: how much of it is done, since when, and until when at the latest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from attpcdaq.runcontrol.seeing.views import CommandView, RouterView, Snapshot

OVER = ("confirmed", "failed", "skipped", "expired")


@dataclass(frozen=True, slots=True)
class Waiting:
    """`done` of `total` parts; `until` is None where nothing gives it up."""

    text: str
    done: int
    total: int
    since: datetime
    until: datetime | None


def waiting(status: Snapshot) -> Waiting | None:
    """What the whole system waits for just now; None while nothing is under way."""
    command, run = status.command, status.run
    if command is not None and command.state in ("queued", "running"):
        return _command(command)
    if run is not None and run.state == "closing" and run.stopped_at is not None:
        return _files(status.routers, run.number, run.stopped_at)
    return None


def _command(command: CommandView) -> Waiting:
    done = sum(step.state in OVER for step in command.steps)
    text = f"{done} of {len(command.steps)} calls are done"
    if command.state == "queued":
        text = "Waiting for a worker to begin"
    return Waiting(text, done, len(command.steps), command.requested_at, command.expires_at or _latest(command))


def _latest(command: CommandView) -> datetime | None:
    return max((step.until for step in command.steps if step.until is not None), default=None)


def _files(routers: Iterable[RouterView], number: int, stopped_at: datetime) -> Waiting:
    known = [router for router in routers if not router.excluded]
    done = sum(router.clean is True for router in known)
    text = f"The files of run {number} are being moved: {done} of {len(known)} nodes are done"
    return Waiting(text, done, len(known), stopped_at, None)
