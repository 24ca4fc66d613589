"""The words of the ECC server's SOAP interface: operations, requests, replies (facts 1.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from get_protocol.state_machine import State, Transition

NAMESPACE = "urn:ecc"


class Operation(StrEnum):
    """The thirteen operations of the ECC server."""

    GET_STATE = "GetState"
    GET_CONFIG_IDS = "GetConfigIDs"
    SERVER_EXIT = "ServerExit"
    DESCRIBE = "Describe"
    PREPARE = "Prepare"
    CONFIGURE = "Configure"
    START = "Start"
    STOP = "Stop"
    PAUSE = "Pause"
    RESUME = "Resume"
    BREAKUP = "Breakup"
    UNDO = "Undo"
    SPECIAL = "Special"


OPERATION_OF: Mapping[Transition, Operation] = MappingProxyType(
    {
        Transition.DESCRIBE: Operation.DESCRIBE,
        Transition.PREPARE: Operation.PREPARE,
        Transition.CONFIGURE: Operation.CONFIGURE,
        Transition.START: Operation.START,
        Transition.STOP: Operation.STOP,
        Transition.PAUSE: Operation.PAUSE,
        Transition.RESUME: Operation.RESUME,
        Transition.BREAKUP: Operation.BREAKUP,
        Transition.UNDO: Operation.UNDO,
    }
)
TRANSITION_OF: Mapping[Operation, Transition] = MappingProxyType(
    {operation: transition for transition, operation in OPERATION_OF.items()}
)


@dataclass(frozen=True, slots=True)
class Request:
    """What an ECC server reads from one call; an absent child is an empty string (facts 1.2)."""

    operation: Operation
    config_id: str = ""
    table: str = ""
    command: str = ""
    soap12: bool = False


@dataclass(frozen=True, slots=True)
class StateReply:
    """Answer of GetState; during a transition `state` is still the old one (facts 2.3)."""

    error_code: int
    error_message: str
    state: State
    transition: Transition

    @property
    def busy(self) -> bool:
        """Whether a transition is under way."""
        return self.transition is not Transition.NONE


@dataclass(frozen=True, slots=True)
class TextReply:
    """Answer of everything but GetState and ServerExit; code 0 proves nothing (facts 2.2)."""

    error_code: int
    error_message: str
    text: str


@dataclass(frozen=True, slots=True)
class ExitReply:
    """Answer of ServerExit."""

    error_code: int
    error_message: str
