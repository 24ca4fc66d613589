"""The ECC server without sockets: against the transition table, and the answers that need a plan (facts 1.4, 2)."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from get_protocol.data_links import DataLink, LinkType, encode_data_link_set
from get_protocol.ecc_messages import OPERATION_OF, ExitReply, Operation, Request, StateReply, TextReply
from get_protocol.errors import ServerAborts
from get_protocol.state_machine import TABLE, State, Transition, target
from get_simulator.ecc_service import BUSY, Later
from get_simulator.faults import Fault, FaultKind
from tests.simulator.memory import Bench

ASKABLE = [transition for transition in Transition if transition not in (Transition.NONE, Transition.RESUME)]
UP = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE, Transition.START)


class AgainstTheTable(RuleBasedStateMachine):
    """Any order of calls, with refusals and failures in between, does what facts 2 say."""

    @initialize(board=st.sampled_from(["cobo1", "mutant", "all"]))
    def begin(self, board: str) -> None:
        self.bench, self.board, self.expected = Bench("CoBo[1]"), board, State.IDLE
        self.working: Later | None = None

    @precondition(lambda self: self.working is None)
    @rule(transition=st.sampled_from(ASKABLE))
    def ask(self, transition: Transition) -> None:
        outcome = self.bench.service.receive(self._request(transition), self.bench.clock.now())
        if target(self.expected, transition) is None:
            wedged = self.expected is State.OFF and transition is Transition.BREAKUP
            undescribed = self.expected is State.IDLE and transition is Transition.CONFIGURE
            assert isinstance(outcome, TextReply)
            assert outcome.error_code == (int(transition) if wedged or undescribed else 0)
        else:
            assert isinstance(outcome, Later)
            self.working = outcome

    @precondition(lambda self: self.working is not None)
    @rule(transition=st.sampled_from(ASKABLE))
    def ask_while_busy(self, transition: Transition) -> None:
        reply = self.bench.service.receive(self._request(transition), self.bench.clock.now())
        assert reply == TextReply(int(transition), BUSY, "")

    @precondition(lambda self: self.working is not None)
    @rule(fails=st.booleans())
    def let_it_finish(self, fails: bool) -> None:
        assert self.working is not None
        assert self.working.plan is not None
        transition = self.working.plan.transition
        if fails:
            self.bench.faults.set(Fault("ecc", FaultKind.FAIL, OPERATION_OF[transition], times=1))
        reply = self.bench.finish(self.working)
        self.working = None
        if not fails or transition is Transition.UNDO:
            assert reply.error_code == 0
            self.expected = target(self.expected, transition) or self.expected
        else:
            assert reply.error_code == int(transition)
            assert reply.error_message
            self.expected = State.OFF if transition is Transition.BREAKUP else self.expected
        self.bench.faults.clear()

    @precondition(lambda self: self.working is None and target(self.expected, Transition.START) is not None)
    @rule()
    def refuse(self) -> None:
        self.bench.faults.set(Fault("ecc", FaultKind.REFUSE, message="not now", times=1))
        assert self.bench.call(self._request(Transition.START)) == TextReply(4, "not now", "")

    @invariant()
    def get_state_shows_the_old_state_until_it_is_over(self) -> None:
        transition = self.working.plan.transition if self.working and self.working.plan else Transition.NONE
        reply = self.bench.service.receive(Request(Operation.GET_STATE), self.bench.clock.now())
        assert reply == StateReply(0, BUSY if transition else "", self.expected, transition)

    @invariant()
    def boards_take_data_only_while_running(self) -> None:
        running = [board.sender for board in self.bench.boards.values() if board.sending]
        if self.expected not in (State.RUNNING, State.PAUSED, State.OFF, State.READY):
            assert not running

    def _request(self, transition: Transition) -> Request:
        return self.bench.request(transition, self.board)


TestAgainstTheTable = AgainstTheTable.TestCase
TestAgainstTheTable.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_durations_are_those_of_the_facts_and_scaled_by_speed() -> None:
    for speed in (1.0, 10.0):
        bench = Bench("CoBo[0]", speed=speed)
        took = {}
        for transition in (*UP, Transition.STOP, Transition.BREAKUP, Transition.UNDO):
            before = bench.clock.now()
            bench.go(transition)
            took[transition.name] = round((bench.clock.now() - before) * speed, 6)
        assert list(took.values()) == [0.1, 4.8, 8.4, 0.1, 0.5, 0.5, 0.0]


def test_stop_takes_half_a_second_for_each_board_and_a_mutant_is_quick() -> None:
    bench = Bench()
    bench.go(*UP, describe="all")
    before = bench.clock.now()
    bench.go(Transition.STOP, describe="all")
    assert bench.clock.now() - before == pytest.approx(2.0)
    mutant = Bench()
    before = mutant.clock.now()
    mutant.go(*UP, describe="mutant")
    assert mutant.clock.now() - before < 0.25


def test_a_transition_is_over_only_when_its_time_is() -> None:
    bench = Bench()
    later = bench.service.receive(bench.request(Transition.DESCRIBE), bench.clock.now())
    assert isinstance(later, Later)
    bench.clock.advance(0.05)
    assert not bench.service.due(later, bench.clock.now())
    assert bench.service.state is State.IDLE
    assert bench.finish(later).error_code == 0
    assert bench.service.state is State.DESCRIBED


def test_a_hang_ends_only_when_it_is_cleared() -> None:
    bench = Bench()
    bench.faults.set(Fault("ecc", FaultKind.HANG, Operation.DESCRIBE, times=1))
    later = bench.service.receive(bench.request(Transition.DESCRIBE), bench.clock.now())
    assert isinstance(later, Later)
    bench.clock.advance(1e6)
    assert not bench.service.due(later, bench.clock.now())
    assert bench.service.state_reply().transition is Transition.DESCRIBE
    bench.faults.clear("ecc")
    assert bench.finish(later).error_code == 0


def test_slow_adds_seconds_as_often_as_asked() -> None:
    bench = Bench()
    bench.faults.set(Fault("CoBo[0]", FaultKind.SLOW, Operation.DESCRIBE, seconds=7.0, times=1))
    bench.service.boards = ("CoBo[0]",)
    for expected in (7.1, 0.1):
        before = bench.clock.now()
        bench.go(Transition.DESCRIBE)
        assert bench.clock.now() - before == pytest.approx(expected)
        bench.go(Transition.UNDO)


@pytest.mark.parametrize("configure", ["nosuch", "broken"])
def test_a_missing_or_broken_configure_file(configure: str) -> None:
    bench = Bench()
    bench.files.files["configure-broken.xcfg"] = b"<?xml version='1.0'?>\n<Setup id='Conditions'><Node>"
    bench.go(Transition.DESCRIBE)
    reply = bench.call(bench.request(Transition.PREPARE, configure=configure))
    assert reply.error_code == 2
    missing = reply.error_message == "Exception: Configuration 'nosuch' does not exist."
    assert missing or reply.error_message.startswith(
        'Exception: Error loading the document located at: "/configs/configure-broken.xcfg".\nThe text stream is'
    )
    assert bench.service.state is State.DESCRIBED


def test_prepare_and_configure_may_use_different_files_and_the_answer_shows_both() -> None:
    bench = Bench()
    bench.go(Transition.DESCRIBE)
    bench.go(Transition.PREPARE, configure="fullreadout")
    text = bench.call(bench.request(Transition.CONFIGURE)).text
    assert 'filename="prepare-fullreadout.xcfg"' in text
    assert 'filename="configure-experiment.xcfg"' in text


def test_config_ids_are_read_again_at_every_call() -> None:
    bench = Bench()
    count = len(bench.call(Request(Operation.GET_CONFIG_IDS)).text.splitlines()) - 2
    assert count == 5 * 3, "3 CoBos, the MuTAnT, all; three configure files"
    bench.files.files["configure-mine.xcfg"] = b"not looked into"
    bench.files.files["prepare-other.xcfg"] = b"ignored"
    assert len(bench.call(Request(Operation.GET_CONFIG_IDS)).text.splitlines()) - 2 == 5 * 4


def test_a_router_that_refuses() -> None:
    bench = Bench()
    bench.go(Transition.DESCRIBE, Transition.PREPARE, describe="all")
    bench.refused = "TCP connection to 127.0.0.1:46005 failed: Connection refused (errno=111)."
    reply = bench.call(bench.request(Transition.CONFIGURE, "all"))
    one = "Could not connect data sender '{}' to its data router: Failed to connect to data router of type 'TCP': {}"
    senders = ("CoBo[0]", "CoBo[1]", "CoBo[2]", "Mutant[master]")
    assert reply.error_message == " | ".join(one.format(sender, bench.refused) for sender in senders)
    assert bench.service.state is State.PREPARED


def test_fdt_connects_at_start_and_a_refusal_names_the_board() -> None:
    bench = Bench()
    links = [DataLink("CoBo[0]", "data", "127.0.0.1", 46005, LinkType.FDT)]
    bench.go(Transition.DESCRIBE, Transition.PREPARE)
    request = bench.request(Transition.CONFIGURE)
    configure = Request(request.operation, request.config_id, encode_data_link_set(links))
    assert bench.call(configure).error_code == 0
    assert not bench.uplinks
    bench.refused = "TCP connection to 127.0.0.1:46005 failed: Connection refused (errno=111)."
    reply = bench.call(bench.request(Transition.START))
    assert reply.error_message == f"CoBo[0]: Could not establish data link. {bench.refused} | "
    bench.refused = ""
    bench.go(Transition.START)
    bench.go(Transition.STOP)
    assert bench.uplinks["CoBo[0]"].closed, "FDT disconnects at Stop"


def test_an_inactive_board_is_left_alone() -> None:
    bench = Bench()
    text = bench.files.files["configure-experiment.xcfg"].decode()
    for name in ("CoBo[1]", "CoBo[2]"):
        number = name[5:-1]
        text = text.replace(f'<Instance id="{number}">', f'<Instance id="{number}"><isActive>false</isActive>')
    bench.files.files["configure-experiment.xcfg"] = text.encode()
    bench.go(*UP, describe="all")
    assert [board.sender for board in bench.boards.values() if board.sending] == ["CoBo[0]", "Mutant[master]"]


def test_a_mutant_without_readout_needs_no_link() -> None:
    bench = Bench()
    text = bench.files.files["configure-experiment.xcfg"].decode()
    silent = text.replace("<readoutModeEnabled>true", "<readoutModeEnabled>false").encode()
    bench.files.files["configure-experiment.xcfg"] = silent
    bench.go(Transition.DESCRIBE, Transition.PREPARE, describe="mutant")
    request = bench.request(Transition.CONFIGURE, "mutant")
    assert bench.call(Request(request.operation, request.config_id, "")).error_code == 0


def test_a_start_that_fails_on_one_board_leaves_the_others_running() -> None:
    bench = Bench()
    bench.go(*UP[:3], describe="all")
    bench.faults.set(Fault("CoBo[1]", FaultKind.FAIL, Operation.START, message="no clock", times=1))
    bench.boards["CoBo[2]"].die(bench.clock.now())
    reply = bench.call(bench.request(Transition.START, "all"))
    dead = "CoBo[2]: Could not start run (Ice::ConnectionRefusedException) | "
    assert reply == TextReply(4, f"CoBo[1]: no clock | {dead}", "")
    assert bench.service.state is State.READY
    assert bench.boards["CoBo[0]"].sending


def test_a_restarted_board_refuses_until_it_is_described_again() -> None:
    bench = Bench()
    bench.go(*UP)
    bench.boards["CoBo[0]"].die(bench.clock.now())
    bench.boards["CoBo[0]"].boot()
    assert bench.call(bench.request(Transition.BREAKUP)).error_code == 8
    assert bench.service.state is State.OFF


def test_drop_before_and_after_the_work() -> None:
    bench = Bench()
    request = bench.request(Transition.DESCRIBE)
    bench.faults.set(Fault("ecc", FaultKind.DROP, Operation.DESCRIBE, times=1))
    assert bench.service.receive(request, bench.clock.now()) is None
    assert bench.service.state is State.IDLE
    bench.faults.set(Fault("ecc", FaultKind.DROP, Operation.DESCRIBE, times=1, after=True))
    later = bench.service.receive(request, bench.clock.now())
    assert isinstance(later, Later)
    assert later.lost
    bench.finish(later)
    assert bench.service.state is State.DESCRIBED


def test_resume_kills_only_while_paused() -> None:
    bench = Bench()
    bench.go(*UP)
    resume = Request(Operation.RESUME)
    assert bench.service.receive(resume, bench.clock.now()) == TextReply(0, "", "")
    bench.go(Transition.PAUSE)
    with pytest.raises(ServerAborts):
        bench.service.receive(resume, bench.clock.now())


def test_exit_and_special_are_not_held_up_by_a_transition() -> None:
    bench = Bench()
    bench.service.receive(bench.request(Transition.DESCRIBE), bench.clock.now())
    assert bench.service.receive(Request(Operation.SERVER_EXIT), bench.clock.now()) == ExitReply(0, "")
    known = Request(Operation.SPECIAL, command="write ctrl x 1")
    assert bench.service.receive(known, bench.clock.now()) == TextReply(0, "", "")


def test_every_transition_has_a_row() -> None:
    assert set(TABLE) == set(Transition)
