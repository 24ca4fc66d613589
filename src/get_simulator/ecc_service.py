"""One ECC server process without its sockets: a request and the time in, a reply or a time to come back out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from get_protocol.config_set import encode_config_id_set
from get_protocol.ecc_messages import (
    OPERATION_OF,
    TRANSITION_OF,
    ExitReply,
    Operation,
    Request,
    StateReply,
    TextReply,
    read_config_id,
)
from get_protocol.errors import ServerAborts
from get_protocol.state_machine import KILLS_SERVER, State, Transition, target
from get_simulator.board import Board
from get_simulator.ecc_session import Dial, Dialled, Plan, Refusal, Session
from get_simulator.ecc_texts import config_set, link_set, sender_set
from get_simulator.faults import Fault, FaultBook, FaultKind
from get_simulator.journal import Journal
from get_simulator.pace import Pace
from get_simulator.repository import NoConfiguration, Repository

BUSY = "The ECC state machine is busy!"
SPECIAL_COMMANDS = ("asad-inject", "connect", "write", "writereg")
READS_CONFIG_ID = frozenset({Operation.DESCRIBE, Operation.PREPARE, Operation.CONFIGURE})

Reply = StateReply | TextReply | ExitReply


@dataclass(slots=True, eq=False)
class Later:
    """An answer that is not due yet: call `due` again at `at` or when a fault is cleared, then `finish`.

    `plan` is a transition under way; else `reply` is what was answered at once but is held back.
    """

    operation: Operation
    at: float
    began: float
    plan: Plan | None = None
    reply: Reply | None = None
    hang: Fault | None = None
    lost: bool = False

    @property
    def dials(self) -> tuple[Dial, ...]:
        """Data connections to be opened, once due, whose outcomes `finish` is given."""
        return self.plan.dials if self.plan else ()


@dataclass(slots=True)
class EccService:
    """State machine, busy flag and faults of one ECC server; starts Idle as the real one does.

    `hardware` maps address and port of each board's server to the board; `boards` are those it usually drives.
    """

    name: str
    boards: tuple[str, ...]
    hardware: Mapping[tuple[str, int], Board]
    repository: Repository
    pace: Pace
    faults: FaultBook
    journal: Journal
    state: State = State.IDLE
    work: Later | None = None
    calls: Counter[str] = field(default_factory=Counter)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.name, self.hardware, self.repository, self.faults)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names under which faults of this server are set: its own and its boards'."""
        driven = tuple(one.board.sender for one in self.session.driven)
        return (self.name, *(driven or self.boards))

    def receive(self, request: Request, now: float) -> Reply | Later | None:
        """The reply, or when it is due, or None to close without a byte; ServerAborts where the process ends."""
        operation = request.operation
        self.calls[operation] += 1
        if operation is not Operation.GET_STATE:
            self.journal.record(now, "call", self.name, operation=operation.value)
        if self.faults.take((self.name,), FaultKind.DIE, operation):
            raise ServerAborts(f"fault at {operation}")
        drop = self.faults.take((self.name,), FaultKind.DROP, operation)
        if drop is not None and not drop.after:
            return None
        answer = self._answer(request, now)
        if isinstance(answer, Later):
            answer.lost = drop is not None
            return answer
        return None if drop is not None else self._held(operation, answer, now)

    def due(self, later: Later, now: float) -> bool:
        """Whether it may be finished: its time is over and nothing makes it hang."""
        if now < later.at:
            return False
        if later.hang is None:
            later.hang = self._hang(later.operation)
        return later.hang is None or later.hang.cleared

    def finish(self, later: Later, now: float, dialled: Dialled) -> Reply:
        """Carry out what is due and give its reply; `dialled` holds the outcome of each of its dials."""
        if later.plan is None:
            assert later.reply is not None
            return later.reply
        self.work = None
        before, transition = self.state, later.plan.transition
        try:
            self.session.apply(later.plan, dialled, now)
            self.state = target(before, transition) or before
            reply = TextReply(0, "", self._text(transition, later.plan))
        except Refusal as refusal:
            if transition is Transition.BREAKUP:
                self.state = State.OFF
            reply = TextReply(int(transition), str(refusal), "")
        _close_unused(later.plan.dials, dialled)
        if self.state is State.IDLE:
            self.session.driven = self.session.active = ()
        self._note(later, before, reply, now)
        return reply

    def wedge(self) -> None:
        """State 0, out of which only a restart leads (facts 2.4)."""
        self.state = State.OFF

    def state_reply(self) -> StateReply:
        """What GetState tells: during a transition still the old state, with its number (facts 2.3)."""
        if self.work is not None and self.work.plan is not None:
            return StateReply(0, BUSY, self.state, self.work.plan.transition)
        return StateReply(0, "", self.state, Transition.NONE)

    def _answer(self, request: Request, now: float) -> Reply | Later:
        match request.operation:
            case Operation.GET_STATE:
                return self.state_reply()
            case Operation.GET_CONFIG_IDS:
                return self._config_ids()
            case Operation.SERVER_EXIT:
                return ExitReply(0, "")
            case Operation.SPECIAL:
                return _special(request.command)
            case _:
                return self._transition(TRANSITION_OF[request.operation], request, now)

    def _config_ids(self) -> TextReply:
        refuse = self.faults.take((self.name,), FaultKind.REFUSE, Operation.GET_CONFIG_IDS)
        if refuse is not None:
            return TextReply(1, _message(refuse), "")
        return TextReply(0, "", encode_config_id_set(self.repository.config_ids()))

    def _transition(self, transition: Transition, request: Request, now: float) -> Reply | Later:
        if request.operation in READS_CONFIG_ID:
            read_config_id(request.config_id)
        if self.work is not None:
            return TextReply(int(transition), BUSY, "")
        if target(self.state, transition) is None:
            return self._ignored(transition, request)
        refuse = self.faults.take((self.name,), FaultKind.REFUSE, request.operation)
        if refuse is not None:
            return self._refused(transition, _message(refuse), now)
        if transition in KILLS_SERVER:
            raise ServerAborts("Resume while Paused: segmentation fault")
        try:
            plan = self.session.plan(transition, request)
        except Refusal as refusal:
            return self._refused(transition, str(refusal), now)
        seconds = self.pace.seconds(transition, [one.board.sender for one in plan.driven])
        self.work = Later(request.operation, now + seconds + self._slow(request.operation), now, plan)
        return self.work

    def _ignored(self, transition: Transition, request: Request) -> TextReply:
        """Illegal here: success, and nothing happens (facts 2.2); out of state 0 Breakup fails again (facts 2.4)."""
        if self.state is State.OFF and transition is Transition.BREAKUP:
            return TextReply(int(transition), "Unknown error!", "")
        try:
            return TextReply(0, "", self._text(transition, self.session.reread(transition, request)))
        except NoConfiguration as error:
            links = link_set([one.sender for one in self.session.driven], {})
            return TextReply(int(transition), str(error), links)

    def _text(self, transition: Transition, plan: Plan) -> str:
        senders = [one.sender for one in plan.driven]
        if transition is Transition.DESCRIBE:
            return sender_set(senders)
        if transition is not Transition.CONFIGURE:
            return ""
        files = config_set(self.repository, plan.names, [one.entry for one in plan.driven])
        return link_set(senders, plan.links) + files

    def _refused(self, transition: Transition, message: str, now: float) -> TextReply:
        reply = TextReply(int(transition), message, "")
        self._note(Later(OPERATION_OF[transition], now, now), self.state, reply, now)
        return reply

    def _note(self, later: Later, before: State, reply: TextReply, now: float) -> None:
        warnings = {"warnings": later.plan.warnings} if later.plan and later.plan.warnings else {}
        self.journal.record(
            now,
            "transition",
            self.name,
            operation=later.operation.value,
            source=int(before),
            target=int(self.state),
            error_code=reply.error_code,
            message=reply.error_message,
            seconds=round(now - later.began, 6),
            **warnings,
        )

    def _held(self, operation: Operation, reply: Reply, now: float) -> Reply | Later:
        """Hold an immediate answer back where it was asked for by name of the operation, as in a frozen process."""
        slow = self._slow(operation) if operation not in TRANSITION_OF else 0.0
        hang = self._hang(operation) if operation not in TRANSITION_OF else None
        return Later(operation, now + slow, now, reply=reply, hang=hang) if slow or hang else reply

    def _slow(self, operation: Operation) -> float:
        fault = self.faults.take(self.targets, FaultKind.SLOW, operation) if self._meant(operation) else None
        return 0.0 if fault is None else (10.0 if fault.seconds is None else fault.seconds)

    def _hang(self, operation: Operation) -> Fault | None:
        return self.faults.take(self.targets, FaultKind.HANG, operation) if self._meant(operation) else None

    def _meant(self, operation: Operation) -> bool:
        """A slow or hanging server still answers GetState, unless the fault names that operation."""
        return operation in TRANSITION_OF or any(fault.operation is operation for fault in self.faults.faults)


def _close_unused(dials: Sequence[Dial], dialled: Dialled) -> None:
    """Hang up what no board took over because the transition failed."""
    for one in dials:
        outcome = dialled.get(one.board.sender)
        if outcome is not None and not isinstance(outcome, str) and one.board.uplink is not outcome:
            outcome.close()


def _special(command: str) -> TextReply:
    words = command.split()
    if words and words[0] in SPECIAL_COMMANDS:
        return TextReply(0, "", "")
    return TextReply(1, f"Special command '{command}' is unknown.", "")


def _message(fault: Fault) -> str:
    return f"refused ({(fault.operation or 'any operation').lower()})" if fault.message is None else fault.message
