"""What one ECC server knows about its boards, and what each transition does to them (pure)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from get_protocol.data_links import LinkType
from get_protocol.ecc_messages import OPERATION_OF, Request, ServerConfigId, ServerLink, read_config_id, read_data_links
from get_protocol.state_machine import Transition
from get_protocol.xcfg import BoardEntry, ConfigTree
from get_simulator.board import Board, BoardRefuses, BoardUnreachable, Uplink
from get_simulator.board_settings import is_active, settings_of
from get_simulator.faults import FaultBook, FaultKind
from get_simulator.repository import NoConfiguration, Repository

REFUSED = "src/Ice/Network.cpp:2714: ::Ice::ConnectionRefusedException:\nconnection refused: Connection refused"
NO_CONNECTION = "Could not connect to '{0}' node '{1}' at {2}. Connection to HW node '{2}' failed:\n{3}"
NO_ROUTER = "Could not find a valid data router for data sender '{}'"
NO_LINK = "Could not connect data sender '{}' to its data router: Failed to connect to data router of type '{}': {}"
NO_FDT = "Could not establish data link. {}"
AT_CONFIGURE = frozenset({LinkType.TCP, LinkType.ZBUF, LinkType.ICE, "Debug", "DebugFrames"})


class Refusal(Exception):
    """The transition fails; the text is the answer's ErrorMessage."""


@dataclass(frozen=True, slots=True)
class Driven:
    """A board as the describe file names it."""

    entry: BoardEntry
    board: Board

    @property
    def sender(self) -> str:
        return self.entry.sender_id


@dataclass(frozen=True, slots=True)
class Dial:
    """A data connection to be opened when the transition's time is over."""

    board: Board
    link: ServerLink


Dialled = Mapping[str, Uplink | str]
"""Outcome of each dial by data sender id: the open connection, or why there is none."""


@dataclass(slots=True)
class Plan:
    """What was read when the transition was asked for."""

    transition: Transition
    driven: tuple[Driven, ...] = ()
    configure: ConfigTree | None = None
    names: dict[str, str] = field(default_factory=dict)
    links: dict[str, ServerLink] = field(default_factory=dict)
    dials: tuple[Dial, ...] = ()
    warnings: list[str] = field(default_factory=list)
    """What went wrong and is told in the log only (facts 2.4)."""


@dataclass(slots=True)
class Session:
    """The boards of one ECC server process since its last Describe."""

    name: str
    hardware: Mapping[tuple[str, int], Board]
    repository: Repository
    faults: FaultBook
    driven: tuple[Driven, ...] = ()
    active: tuple[Driven, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    links: dict[str, ServerLink] = field(default_factory=dict)

    def plan(self, transition: Transition, request: Request) -> Plan:
        """Read what the transition needs; Refusal at once if a name or file is missing or broken."""
        plan = Plan(transition, self.active or self.driven, names=dict(self.names), links=dict(self.links))
        try:
            self._read(plan, request)
        except NoConfiguration as error:
            raise Refusal(str(error)) from None
        return plan

    def reread(self, transition: Transition, request: Request) -> Plan:
        """What an ignored Describe or Configure repeats (facts 2.2); NoConfiguration before any Describe."""
        plan = Plan(transition, self.driven, names=dict(self.names), links=dict(self.links))
        if transition is Transition.CONFIGURE:
            if not self.driven:
                raise NoConfiguration("Configuration '' does not exist.")
            plan.links = read_data_links(request.table)
            ids = read_config_id(request.config_id)
            plan.names.setdefault("configure", ids.configure or "")
        return plan

    def apply(self, plan: Plan, dialled: Dialled, now: float) -> None:
        """Carry the plan out on the boards; Refusal if one of them says no (facts 1.4)."""
        for one in plan.driven:
            if self.faults.take((one.board.sender,), FaultKind.DIE, OPERATION_OF[plan.transition]):
                one.board.die(now)
        acts: dict[Transition, Callable[[Plan, Dialled, float], None]] = {
            Transition.DESCRIBE: self._describe,
            Transition.PREPARE: self._prepare,
            Transition.CONFIGURE: self._configure,
            Transition.START: self._start,
            Transition.STOP: self._stop,
            Transition.PAUSE: self._pause,
            Transition.BREAKUP: self._breakup,
            Transition.UNDO: self._undo,
        }
        acts[plan.transition](plan, dialled, now)
        self.names, self.links = plan.names, plan.links

    def _read(self, plan: Plan, request: Request) -> None:
        if plan.transition is Transition.DESCRIBE:
            ids = read_config_id(request.config_id)
            plan.names = {"describe": _needed(ids, ids.describe)}
            plan.driven = self._find_boards(self.repository.describe(plan.names["describe"]))
        elif plan.transition is Transition.PREPARE:
            ids = read_config_id(request.config_id)
            plan.names["prepare"] = _needed(ids, ids.prepare)
            plan.configure = self.repository.configure(plan.names["prepare"])
        elif plan.transition is Transition.CONFIGURE:
            ids = read_config_id(request.config_id)
            plan.names["configure"] = _needed(ids, ids.configure)
            plan.configure = self.repository.configure(plan.names["configure"])
            plan.driven = tuple(one for one in self.driven if is_active(plan.configure, one.entry))
            plan.links = read_data_links(request.table)
            plan.dials = self._dials(plan, AT_CONFIGURE)
        elif plan.transition is Transition.START:
            plan.dials = self._dials(plan, frozenset({LinkType.FDT}))

    def _find_boards(self, entries: Sequence[BoardEntry]) -> tuple[Driven, ...]:
        return tuple(Driven(entry, self._board_of(entry)) for entry in entries)

    def _board_of(self, entry: BoardEntry) -> Board:
        board = self.hardware.get((entry.address, entry.port))
        if board is None:
            raise Refusal(_no_connection(entry, REFUSED))
        return board

    def _dials(self, plan: Plan, types: frozenset[str]) -> tuple[Dial, ...]:
        """Connections that this transition opens; at Configure each sender must have a link of a known type."""
        senders = [one for one in plan.driven if _sends(one, plan.configure)]
        links = [(one, plan.links.get(one.sender)) for one in senders]
        return tuple(Dial(one.board, link) for one, link in links if link is not None and link.type in types)

    def _describe(self, plan: Plan, dialled: Dialled, now: float) -> None:
        failures = self._failures(plan)
        for one in plan.driven:
            if one.sender in failures:
                raise Refusal(_no_connection(one.entry, failures[one.sender]))
            try:
                one.board.describe(now)
            except BoardUnreachable:
                raise Refusal(_no_connection(one.entry, REFUSED)) from None
        self.driven, self.active = plan.driven, ()

    def _prepare(self, plan: Plan, dialled: Dialled, now: float) -> None:
        self._each(plan, lambda one: one.board.prepare(now))

    def _configure(self, plan: Plan, dialled: Dialled, now: float) -> None:
        reasons = []
        failures = self._failures(plan)
        for one in plan.driven:
            reason = self._link_trouble(one, plan, dialled, failures)
            if reason and reason == NO_ROUTER.format(one.sender):
                raise Refusal(reason)
            reasons += [reason] if reason else []
        if reasons:
            raise Refusal(" | ".join(reasons))
        settings = {one.sender: settings_of(plan.configure, one.entry) for one in plan.driven if plan.configure}
        plain = Plan(plan.transition, plan.driven)
        self._each(plain, lambda one: one.board.configure(now, settings[one.sender], _up(dialled, one)), failing={})
        self.active = plan.driven

    def _start(self, plan: Plan, dialled: Dialled, now: float) -> None:
        def start(one: Driven) -> None:
            outcome = dialled.get(one.board.sender)
            if isinstance(outcome, str):
                raise BoardRefuses(NO_FDT.format(outcome))
            try:
                one.board.start(now, outcome)
            except BoardUnreachable:
                raise BoardRefuses("Could not start run (Ice::ConnectionRefusedException)") from None

        self._each(plan, start)

    def _stop(self, plan: Plan, dialled: Dialled, now: float) -> None:
        """The MuTAnT first. A dead board is swallowed (facts 2.4)."""

        def stop(one: Driven) -> None:
            late = self.faults.take((self.name, one.board.sender), FaultKind.LATE_FRAMES)
            try:
                one.board.stop(now, (10.0 if late.seconds is None else late.seconds) if late else 0.0)
            except (BoardUnreachable, BoardRefuses) as error:
                plan.warnings.append(f"{one.sender} could not be stopped: {error}")

        plan.driven = tuple(sorted(plan.driven, key=lambda one: not one.board.is_mutant))
        self._each(plan, stop)

    def _pause(self, plan: Plan, dialled: Dialled, now: float) -> None:
        self._each(plan, lambda one: one.board.pause())

    def _breakup(self, plan: Plan, dialled: Dialled, now: float) -> None:
        operation = OPERATION_OF[Transition.BREAKUP]
        if self.faults.take((self.name,), FaultKind.WEDGE, operation):
            raise Refusal("Unknown error!")
        failures = self._failures(plan)
        if failures:
            raise Refusal(next(iter(failures.values())) or "Unknown error!")
        self._each(plan, lambda one: one.board.breakup(now), failing={})
        self.active = ()

    def _undo(self, plan: Plan, dialled: Dialled, now: float) -> None:
        """Board errors are hidden (facts 2.4)."""
        plan.warnings += (f"{sender}: {message}" for sender, message in self._failures(plan).items())

    def _each(self, plan: Plan, act: Callable[[Driven], None], failing: Mapping[str, str] | None = None) -> None:
        """Do it on every board, in parallel as it were; Refusal with all reasons, `<node>: <reason> | ` each."""
        failures = self._failures(plan) if failing is None else failing
        reasons, unreachable = "", False
        for one in plan.driven:
            try:
                if one.sender in failures:
                    raise BoardRefuses(failures[one.sender])
                act(one)
            except BoardRefuses as error:
                reasons += f"{one.sender}: {error} | "
            except BoardUnreachable:
                unreachable = True
        if unreachable:
            raise Refusal(f"Ice exception: {REFUSED}")
        if reasons:
            raise Refusal(reasons)

    def _failures(self, plan: Plan) -> dict[str, str]:
        """The boards that fail this time by a fault that was set, with the message."""
        operation = OPERATION_OF[plan.transition]
        whole = self.faults.take((self.name,), FaultKind.FAIL, operation)
        found = {}
        for one in plan.driven:
            fault = whole or self.faults.take((one.board.sender,), FaultKind.FAIL, operation)
            if fault is not None:
                text = "" if plan.transition is Transition.BREAKUP else f"hardware failure ({operation.lower()})"
                found[one.sender] = text if fault.message is None else fault.message
        return found

    def _link_trouble(self, one: Driven, plan: Plan, dialled: Dialled, failures: Mapping[str, str]) -> str:
        """Why this sender gets no data link, empty if it has one or needs none."""
        link = plan.links.get(one.sender)
        if link is None:
            if _sends(one, plan.configure):
                return NO_ROUTER.format(one.sender)
            return f"{one.sender}: {failures[one.sender]} | " if one.sender in failures else ""
        if one.sender in failures:
            return NO_LINK.format(one.sender, link.type, failures[one.sender])
        outcome = dialled.get(one.board.sender)
        if isinstance(outcome, str):
            return NO_LINK.format(one.sender, link.type, outcome)
        if link.type not in AT_CONFIGURE and link.type != LinkType.FDT:
            return NO_LINK.format(one.sender, link.type, f"Unknown data sender type '{link.type}'")
        return ""


def _sends(one: Driven, configure: ConfigTree | None) -> bool:
    """Whether the board needs a data link: every CoBo, a MuTAnT only with readout (facts 3)."""
    if configure is None:
        return not one.board.is_mutant or bool(one.board.settings and one.board.settings.mutant_readout)
    return not one.board.is_mutant or settings_of(configure, one.entry).mutant_readout


def _needed(ids: ServerConfigId, name: str | None) -> str:
    if not name:
        raise Refusal(ids.invalid_message())
    return name


def _no_connection(entry: BoardEntry, reason: str) -> str:
    return NO_CONNECTION.format(entry.node_type, entry.instance, f"{entry.address}:{entry.port}", reason)


def _up(dialled: Dialled, one: Driven) -> Uplink | None:
    outcome = dialled.get(one.board.sender)
    return None if isinstance(outcome, str) else outcome
