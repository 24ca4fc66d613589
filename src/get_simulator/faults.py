"""Faults that can be set on a part of the detector, and when each of them strikes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from get_protocol.ecc_messages import Operation

T = TypeVar("T")


class FaultKind(StrEnum):
    """docs/simulator.md says what each does to which kind of part."""

    SLOW = "slow"
    REFUSE = "refuse"
    FAIL = "fail"
    HANG = "hang"
    DROP = "drop"
    DIE = "die"
    WEDGE = "wedge"
    DISK_FULL = "disk_full"
    LATE_FRAMES = "late_frames"
    SILENT = "silent"
    NO_PYTHON = "no_python"
    DEAF = "deaf"
    CLOCK = "clock"


ECC, BOARD, ROUTER, NODE = "ECC server", "board", "data router", "node"

ALLOWED: Mapping[str, frozenset[FaultKind]] = {
    ECC: frozenset(FaultKind)
    - {FaultKind.DISK_FULL, FaultKind.SILENT, FaultKind.NO_PYTHON, FaultKind.DEAF, FaultKind.CLOCK},
    BOARD: frozenset({FaultKind.SLOW, FaultKind.FAIL, FaultKind.HANG, FaultKind.DIE, FaultKind.LATE_FRAMES}),
    ROUTER: frozenset({FaultKind.DIE, FaultKind.DISK_FULL, FaultKind.SILENT, FaultKind.DEAF}),
    NODE: frozenset(
        {
            FaultKind.SLOW,
            FaultKind.FAIL,
            FaultKind.HANG,
            FaultKind.DROP,
            FaultKind.DIE,
            FaultKind.DISK_FULL,
            FaultKind.NO_PYTHON,
            FaultKind.CLOCK,
        }
    ),
}


class BadFault(ValueError):
    """The description of a fault is wrong; the text names the field and what is allowed."""


@dataclass(slots=True, eq=False)
class Fault:
    """One fault. `operation` None: any; `times` None: until cleared; `after`: the reply is lost, the work is done."""

    target: str
    kind: FaultKind
    operation: Operation | None = None
    message: str | None = None
    seconds: float | None = None
    times: int | None = None
    after: bool = False
    cleared: bool = False

    def strikes(self, targets: Collection[str], kind: FaultKind, operation: Operation | None) -> bool:
        """Whether it is meant for one of `targets` doing `operation`, and still has a time to strike."""
        return (
            self.kind is kind
            and self.target in targets
            and self.times != 0
            and (self.operation is None or self.operation is operation)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "fault": self.kind.value,
            "operation": self.operation.value if self.operation else None,
            "message": self.message,
            "seconds": self.seconds,
            "times": self.times,
            "after": self.after,
        }


@dataclass(slots=True)
class FaultBook:
    """The faults that are set now."""

    faults: list[Fault] = field(default_factory=list)

    def set(self, fault: Fault) -> None:
        self.faults.append(fault)

    def clear(self, target: str | None = None) -> list[Fault]:
        """Take away the faults of `target`, or all; returns them, marked cleared (what hangs on one goes on)."""
        gone = [fault for fault in self.faults if target in (None, fault.target)]
        for fault in gone:
            fault.cleared = True
        self.faults = [fault for fault in self.faults if fault not in gone]
        return gone

    def find(self, targets: Collection[str], kind: FaultKind, operation: Operation | None = None) -> Fault | None:
        """The first fault that strikes now, not counted as used."""
        return next((fault for fault in self.faults if fault.strikes(targets, kind, operation)), None)

    def clock_ahead(self, node: str) -> float:
        """Seconds which a node's clock is ahead of ours."""
        fault = self.find((node,), FaultKind.CLOCK)
        return 0.0 if fault is None else fault.seconds or 0.0

    def take(self, targets: Collection[str], kind: FaultKind, operation: Operation | None = None) -> Fault | None:
        """The first fault that strikes now, counted as used; used up it goes, but a hang stays until it is cleared."""
        fault = self.find(targets, kind, operation)
        if fault is None:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0 and kind is not FaultKind.HANG:
                self.faults.remove(fault)
        return fault


MEANT_FOR: Mapping[str, frozenset[FaultKind]] = {
    "message": frozenset({FaultKind.REFUSE, FaultKind.FAIL}),
    "seconds": frozenset({FaultKind.SLOW, FaultKind.LATE_FRAMES, FaultKind.CLOCK}),
    "after": frozenset({FaultKind.DROP}),
}
"""Fields that mean something with some faults only."""
FIELDS = ("target", "fault", "operation", "message", "seconds", "times", "after")


def parse_fault(body: object, parts: Mapping[str, str]) -> Fault:
    """A fault from the control port's JSON; `parts` maps the name of each part to its kind. Raises BadFault."""
    if not isinstance(body, dict):
        raise BadFault('body: must be a JSON object such as {"target": "ecc-cobo3", "fault": "refuse"}')
    unknown = sorted(str(key) for key in body if key not in FIELDS)
    if unknown:
        raise BadFault(f"{unknown[0]}: no such field; allowed: {', '.join(FIELDS)}")
    target = _choice(body, "target", parts)
    kind = FaultKind(_choice(body, "fault", sorted(ALLOWED[parts[target]])))
    for field_name, kinds in MEANT_FOR.items():
        if body.get(field_name) not in (None, False) and kind not in kinds:
            raise BadFault(f"{field_name}: goes only with {', '.join(sorted(kinds))}; not with {kind}")
    return Fault(
        target,
        kind,
        _operation(body, kind, parts[target]),
        _typed(body, "message", str, "a text"),
        _seconds(body, least=-1e6 if kind is FaultKind.CLOCK else 0.0),
        _count(body),
        bool(_typed(body, "after", bool, "true or false")),
    )


def _operation(body: Mapping[str, Any], kind: FaultKind, part: str) -> Operation | None:
    if body.get("operation") is None:
        return None
    if part not in (ECC, BOARD):
        raise BadFault(f"operation: goes only with ECC servers and boards; not with a {part}")
    allowed = [Operation.BREAKUP] if kind is FaultKind.WEDGE else list(Operation)
    return Operation(_choice(body, "operation", allowed))


def _choice(body: Mapping[str, Any], key: str, allowed: Iterable[str]) -> str:
    value, names = body.get(key), [str(name) for name in allowed]
    if not isinstance(value, str) or value not in names:
        raise BadFault(f"{key}: must be one of {', '.join(names)}; not {value!r}")
    return value


def _typed(body: Mapping[str, Any], key: str, kind: type[T], words: str) -> T | None:
    value = body.get(key)
    if value is not None and not isinstance(value, kind):
        raise BadFault(f"{key}: must be {words} or null, not {value!r}")
    return value


def _seconds(body: Mapping[str, Any], least: float) -> float | None:
    value = body.get("seconds")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 1e6:
        raise BadFault(f"seconds: must be a number of seconds from {least:.0f} to 1000000 or null, not {value!r}")
    return float(value)


def _count(body: Mapping[str, Any]) -> int | None:
    value = body.get("times")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise BadFault(f"times: must be a whole number from 1 or null, not {value!r}")
    return value
