"""What is watched, and what was read, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from attpcdaq.gateways.ports import EccAddress, NodeAddress, NodeClock, RouterQuery, RouterReading
from get_protocol.ecc_messages import StateReply


@dataclass(frozen=True, slots=True)
class EccTarget:
    """An ECC server to read; `id` of its row."""

    id: int
    address: EccAddress


@dataclass(frozen=True, slots=True)
class RouterTarget:
    """A data router to look at; `id` of its row."""

    id: int
    query: RouterQuery


@dataclass(frozen=True, slots=True)
class NodeTarget:
    """A node to log in to, with its data routers; `id` of its row."""

    id: int
    address: NodeAddress
    routers: tuple[RouterTarget, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """Everything that is watched."""

    ecc_servers: tuple[EccTarget, ...] = ()
    nodes: tuple[NodeTarget, ...] = ()


class Kind(Enum):
    ECC = "ecc"
    ROUTER = "router"
    NODE = "node"


class Key(NamedTuple):
    """Whose reading it is."""

    kind: Kind
    id: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a reading failed, in words."""

    text: str


Outcome = StateReply | RouterReading | NodeClock | Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading; `since` is when the same thing was last read well."""

    key: Key
    outcome: Outcome
    at: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What to write in one go; `alive` (answered a moment ago) is None when it is not yet time to say so."""

    readings: tuple[Reading, ...]
    alive: tuple[Key, ...] | None
    at: datetime
