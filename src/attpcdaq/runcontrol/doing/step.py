"""One step: read the hardware, decide, call once, and believe only what is read back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import EccAddress
from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.doing.outside import Outside
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink
from get_protocol.ecc_messages import StateReply
from get_protocol.errors import LocalProtocolError
from get_protocol.state_machine import State, Transition, sources, target

READ_TIMEOUT = 2.0
READ_EVERY = 0.1
READ_AT_LEAST = 0.5
# After a "success" the state is there at once; a second read allows for one that comes late.
READ_BACK_LIMIT = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a step needs; the configuration and links are read when it is sent, not when it was asked for."""

    server: EccAddress
    transition: Transition
    config: ConfigId
    links: Sequence[DataLink]
    limit: float
    """Seconds from the step's beginning until it is given up."""
    goal: State | None = None
    """Where it leads; None: wherever the call leads from the state that is found."""
    again: bool = False
    """A refusal may be a matter of moments (facts 2.4): it is asked for once more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step: `ok` is what was read back, never what was answered."""

    ok: bool
    message: str = ""
    state: State | None = None
    sent: bool = False
    refused: bool = False
    answer: str = ""
    """What the server said it has done, where the state was reached."""


# Records that the call is about to be sent; a text says why it must not be (superseded, another one outstanding).
MaySend = Callable[[], Awaitable[str]]
# Whether no other call is on its way to the server, so that a state read from now on may be believed.
IsAlone = Callable[[], Awaitable[bool]]


async def believed() -> bool:
    """For calls that nobody else can make meanwhile."""
    return True


async def run_step(order: Order, outside: Outside, may_send: MaySend, is_alone: IsAlone = believed) -> Outcome:
    """Carry out one transition of one ECC server. Never raises for what the server does."""
    deadline = outside.monotonic() + order.limit
    try:
        before = await _state_to_act_on(order, outside, deadline, is_alone)
    except GatewayError as error:
        return Outcome(False, nothing_sent(error))
    expected = _leads_to(order, before)
    if expected is None:
        return _nothing_to_do(order, before)
    forbidden = await may_send()
    if forbidden:
        return Outcome(False, forbidden, before)
    return await _call(order, outside, deadline, expected)


def _leads_to(order: Order, state: State) -> State | None:
    """Where the call leads from `state`, when that is where this step is meant to lead."""
    reached = target(state, order.transition)
    return reached if order.goal is None or reached is order.goal else None


async def _state_to_act_on(order: Order, outside: Outside, deadline: float, is_alone: IsAlone) -> State:
    """A state in which there is something to do, or one that was read while nothing else was on its way."""
    while True:
        sure = await is_alone()
        state = await _settled_state(order, outside, deadline)
        if sure or _leads_to(order, state) is not None:
            return state
        await outside.sleep(READ_EVERY)


async def _settled_state(order: Order, outside: Outside, deadline: float) -> State:
    """The state once no transition is under way. NoAnswer when the deadline comes first: then nothing may be sent."""
    while True:
        reply = await _reply(order, outside, deadline)
        if outside.monotonic() >= deadline:
            raise NoAnswer(_too_late(order, reply))
        if reply is not None and reply.transition is Transition.NONE:
            return reply.state
        await outside.sleep(READ_EVERY)


async def _reply(order: Order, outside: Outside, deadline: float) -> StateReply | None:
    """What the server says; None while a Stop goes on asking one that is silent, as a frozen one is for a moment.

    Its boards run on meanwhile. One that is Unreachable has no process that a Stop could reach.
    """
    try:
        return await outside.ecc.get_state(order.server, _reading_limit(outside, deadline))
    except NoAnswer:
        if order.transition is Transition.STOP:
            return None
        raise


def _reading_limit(outside: Outside, deadline: float) -> float:
    """Seconds that one reading may take: a step is given up at its deadline, not a whole reading after it."""
    return min(READ_TIMEOUT, max(deadline - outside.monotonic(), READ_AT_LEAST))


def _too_late(order: Order, reply: StateReply | None) -> str:
    if reply is None or reply.transition is Transition.NONE:
        return f"{order.server.name}: no answer within {order.limit:g} s."
    return f"{_busy(reply)} after {order.limit:g} s."


def nothing_sent(error: Exception) -> str:
    """Why a call did not leave."""
    return f"{_sentence(error)} Nothing was sent."


def _sentence(error: Exception) -> str:
    """What an error says, ended, for another sentence follows."""
    text = str(error).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _busy(reply: StateReply) -> str:
    return f"The ECC server is still busy with {transition_label(reply.transition)}"


def _nothing_to_do(order: Order, state: State) -> Outcome:
    """A state in which the call would be ignored or lead elsewhere: fine when it is the goal, else a failure."""
    transition = order.transition
    goals = {target(source, transition) for source in sources(transition)} if order.goal is None else {order.goal}
    if state in goals or (transition is Transition.STOP and state is not State.OFF):
        return Outcome(True, f"It was {state_label(state)} already.", state)
    leading = (source for source in sorted(sources(transition)) if target(source, transition) in goals)
    needed = " or ".join(state_label(source) for source in leading)
    label = transition_label(transition)
    return Outcome(False, f"It is {state_label(state)}, and {label} needs {needed}. Nothing was sent.", state)


async def _call(order: Order, outside: Outside, deadline: float, expected: State) -> Outcome:
    """Send the call, once; whatever comes of it, the state read back decides."""
    reading = min(READ_BACK_LIMIT, order.limit / 4)
    left = max(deadline - outside.monotonic() - reading, 0.1)
    try:
        call = outside.ecc.transition(order.server, order.transition, order.config, order.links, left)
        said, answer = "", (await call).text
    except (LocalProtocolError, Unreachable) as error:
        return Outcome(False, nothing_sent(error))
    except Refused as error:
        reply, _ = await _try_read(order, outside, deadline)
        return Outcome(False, str(error), reply.state if reply else None, sent=True, refused=True)
    except (NoAnswer, BadReply) as error:
        said, answer = _sentence(error), ""
    outcome = await _read_back(order, outside, deadline, expected, said)
    return replace(outcome, answer=answer) if outcome.ok else outcome


async def _read_back(order: Order, outside: Outside, deadline: float, expected: State, said: str) -> Outcome:
    """Read until the expected state is there, or it is certain that it will not come."""
    patience = min(outside.monotonic() + READ_BACK_LIMIT, deadline)
    while True:
        reply, problem = await _try_read(order, outside, deadline)
        if reply is not None and reply.transition is Transition.NONE and reply.state is expected:
            return Outcome(True, f"The state was reached, although: {said}" if said else "", expected, sent=True)
        busy = reply is not None and reply.transition is not Transition.NONE
        if outside.monotonic() + READ_EVERY >= (deadline if busy else patience):
            return Outcome(False, _why_not(reply, problem, said, expected), reply.state if reply else None, sent=True)
        await outside.sleep(READ_EVERY)


async def _try_read(order: Order, outside: Outside, deadline: float) -> tuple[StateReply | None, str]:
    try:
        return await outside.ecc.get_state(order.server, _reading_limit(outside, deadline)), ""
    except GatewayError as error:
        return None, str(error)


def _why_not(reply: StateReply | None, problem: str, said: str, expected: State) -> str:
    if reply is None:
        return f"{said or 'The call was answered.'} The outcome is unknown: {problem}"
    if reply.transition is not Transition.NONE:
        return f"{said} {_busy(reply)}; it is {state_label(reply.state)}.".strip()
    answer = said or "It answered success, but did nothing."
    return f"{answer} It is {state_label(reply.state)}, not {state_label(expected)}."
