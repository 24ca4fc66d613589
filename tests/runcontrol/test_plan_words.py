"""What a plan says of itself: why, what must be agreed to, and what stands in the way."""

from dataclasses import replace

import pytest

from attpcdaq.runcontrol.planning.facts import COBO, MUTANT, RouterFacts, RunFacts, ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.plan import ACTIONS, Plan, Refusal, action_label, plan
from get_protocol.state_machine import State, Transition

MUTANT_NAME = "ecc-mutant"


def system(*cobos: State | None, mutant: State | None = State.READY, **more) -> SystemFacts:
    servers = [ServerFacts(f"ecc-cobo{number}", frozenset({COBO}), state) for number, state in enumerate(cobos)]
    servers.append(ServerFacts(MUTANT_NAME, frozenset({MUTANT}), mutant))
    return SystemFacts(tuple(servers), experiment="e20009", **more)


def changed(facts: SystemFacts, name: str, **more) -> SystemFacts:
    servers = (replace(server, **more) if server.name == name else server for server in facts.servers)
    return replace(facts, servers=tuple(servers))


def planned(action: str, targets: list[str] | None, facts: SystemFacts) -> Plan:
    outcome = plan(action, targets, facts)
    assert isinstance(outcome, Plan), outcome
    return outcome


def refused(action: str, targets: list[str] | None, facts: SystemFacts) -> tuple[str, ...]:
    outcome = plan(action, targets, facts)
    assert isinstance(outcome, Refusal), outcome
    return outcome.reasons


def lines(outcome: Plan) -> list[str]:
    return [f"{stage.transition.name} {' '.join(stage.servers)} -> {stage.goal.name}" for stage in outcome.stages]


def whys(outcome: Plan) -> dict[str, str]:
    return {f"{stage.transition.name} {' '.join(stage.servers)}": stage.why for stage in outcome.stages if stage.why}


class TestWhy:
    def test_a_mix_goes_to_ready_in_one_sequence(self) -> None:
        outcome = planned("go_ready", None, system(State.PAUSED, State.READY, State.IDLE, mutant=State.DESCRIBED))
        assert lines(outcome) == [
            "STOP ecc-cobo0 -> READY",
            "BREAKUP ecc-cobo0 ecc-cobo1 -> PREPARED",
            "UNDO ecc-cobo0 ecc-cobo1 -> DESCRIBED",
            "DESCRIBE ecc-cobo2 -> DESCRIBED",
            "PREPARE ecc-mutant -> PREPARED",
            "PREPARE ecc-cobo0 ecc-cobo1 ecc-cobo2 -> PREPARED",
            "CONFIGURE ecc-cobo0 ecc-cobo1 ecc-cobo2 -> READY",
            "CONFIGURE ecc-mutant -> READY",
        ]
        assert whys(outcome) == {
            "BREAKUP ecc-cobo0 ecc-cobo1": "The MuTAnT is prepared before the CoBos, so they are prepared again."
        }

    def test_the_mutant_follows_a_board_that_is_configured(self) -> None:
        outcome = planned("go_ready", None, system(State.READY, State.PREPARED))
        assert lines(outcome) == [
            "BREAKUP ecc-mutant -> PREPARED",
            "CONFIGURE ecc-cobo1 -> READY",
            "CONFIGURE ecc-mutant -> READY",
        ]
        why = "The MuTAnT is configured after the CoBos, so it is configured again."
        assert whys(outcome) == {"BREAKUP ecc-mutant": why}

    def test_a_deaf_router_is_cured_on_the_way_to_a_run(self) -> None:
        deaf = (
            RouterFacts("router0", "ecc-cobo0", online=True, clean=True, deaf=True),
            RouterFacts("router1", "ecc-cobo1", online=True, clean=True),
        )
        outcome = planned("start", None, system(State.READY, State.READY, routers=deaf))
        assert lines(outcome) == [
            "BREAKUP ecc-cobo0 ecc-mutant -> PREPARED",
            "CONFIGURE ecc-cobo0 -> READY",
            "CONFIGURE ecc-mutant -> READY",
            "START ecc-cobo0 ecc-cobo1 -> RUNNING",
            "START ecc-mutant -> RUNNING",
        ]
        assert whys(outcome)["BREAKUP ecc-cobo0 ecc-mutant"] == (
            "ecc-cobo0: A data router was restarted: it is deaf until its board is configured again. "
            "ecc-mutant: The MuTAnT is configured after the CoBos, so it is configured again."
        )

    def test_another_configuration_is_loaded_from_where_it_differs(self) -> None:
        facts = changed(system(State.READY, State.READY), "ecc-cobo0", redo_from=State.DESCRIBED)
        assert lines(planned("go_ready", None, facts)) == [
            "BREAKUP ecc-cobo0 ecc-mutant -> PREPARED",
            "UNDO ecc-cobo0 -> DESCRIBED",
            "PREPARE ecc-cobo0 -> PREPARED",
            "CONFIGURE ecc-cobo0 -> READY",
            "CONFIGURE ecc-mutant -> READY",
        ]
        assert list(whys(planned("go_ready", ["ecc-cobo0"], facts)).values()) == [
            "Set up with another configuration than is chosen now.",
            "The MuTAnT is configured after the CoBos, but ecc-mutant has been configured already.",
        ]

    def test_the_mutant_is_configured_anew_for_a_run_where_that_is_set(self) -> None:
        facts = system(State.READY, reconfigure_mutant=True)
        outcome = planned("start", None, facts)
        assert lines(outcome)[:3] == [
            "BREAKUP ecc-mutant -> PREPARED",
            "CONFIGURE ecc-mutant -> READY",
            "START ecc-cobo0 -> RUNNING",
        ]
        assert "a setting" in whys(outcome)["BREAKUP ecc-mutant"]
        assert "Nothing to do" in refused("go_ready", None, facts)[0]


class TestWithAnOpenRun:
    RUN = RunFacts(7, "running")

    @pytest.mark.parametrize("action", ["breakup", "go_idle", "go_ready"])
    def test_it_is_stopped_first_for_everybody_and_by_a_persons_word(self, action: str) -> None:
        outcome = planned(action, None, system(State.RUNNING, State.READY, mutant=State.RUNNING, run=self.RUN))
        assert lines(outcome)[:2] == ["STOP ecc-mutant -> READY", "STOP ecc-cobo0 ecc-cobo1 -> READY"]
        assert outcome.stages[0].why == outcome.stages[1].why == "Run 7 is open: it is stopped first."
        assert outcome.confirm == f"Run 7 is open. {action_label(action)} stops it first."

    def test_a_run_left_open_with_all_boards_ready_is_ended(self) -> None:
        outcome = planned("go_ready", None, system(State.READY, run=RunFacts(7, "stopping")))
        assert lines(outcome) == ["STOP ecc-mutant -> READY", "STOP ecc-cobo0 -> READY"]

    def test_a_closing_run_is_stopped_already(self) -> None:
        facts = system(State.READY, mutant=State.PREPARED, run=RunFacts(7, "closing"))
        outcome = planned("go_ready", None, facts)
        assert (lines(outcome), outcome.confirm) == (["CONFIGURE ecc-mutant -> READY"], "")

    def test_one_server_is_repaired_within_a_running_run(self) -> None:
        outcome = planned("go_ready", ["ecc-cobo0"], system(State.IDLE, mutant=State.RUNNING, run=self.RUN))
        assert [stage.transition for stage in outcome.stages] == list(Transition)[1:4]
        assert outcome.confirm == (
            "Run 7 is open. Go to Ready repairs ecc-cobo0 within it: start ecc-cobo0 alone afterwards."
        )

    @pytest.mark.parametrize("action", ["breakup", "undo", "go_idle", "go_ready"])
    @pytest.mark.parametrize("state", ["requested", "starting", "stopping"])
    def test_one_server_is_left_alone_while_a_run_is_on_its_way(self, action: str, state: str) -> None:
        facts = system(State.READY, mutant=State.RUNNING, run=RunFacts(7, state))
        assert f"Run 7 is {state}. Single servers" in refused(action, ["ecc-cobo0"], facts)[0]

    def test_one_that_was_set_up_otherwise_is_not_told_to_change_a_choice_that_is_fixed(self) -> None:
        facts = system(State.READY, mutant=State.RUNNING, run=self.RUN)
        facts = changed(facts, "ecc-cobo0", other_config="Prepare was done with a, but b is chosen.")
        assert refused("start", ["ecc-cobo0"], facts) == (
            "ecc-cobo0: Prepare was done with a, but b is chosen. Go to Ready sets it up again.",
        )

    def test_no_second_one_is_started(self) -> None:
        facts = system(State.RUNNING, mutant=State.RUNNING, run=self.RUN)
        assert refused("start", None, facts) == ("Run 7 is still running.",)


class TestLoose:
    def test_boards_that_run_for_nobody_are_adopted_or_stopped(self) -> None:
        assert refused("start", None, system(State.RUNNING, State.READY, mutant=State.PAUSED)) == (
            "ecc-cobo0: it is Running although no run is open: adopt it as a run, or stop it.",
        )

    def test_paused_ones_are_stopped_and_start_with_the_others(self) -> None:
        outcome = planned("start", None, system(State.PAUSED, State.READY, mutant=State.PAUSED))
        assert lines(outcome) == [
            "STOP ecc-mutant -> READY",
            "STOP ecc-cobo0 -> READY",
            "START ecc-cobo0 ecc-cobo1 -> RUNNING",
            "START ecc-mutant -> RUNNING",
        ]


class TestExcluded:
    def test_it_takes_no_part_and_gives_no_reason(self) -> None:
        routers = (
            RouterFacts("router0", "ecc-cobo0", online=True, clean=True),
            RouterFacts("router1", "ecc-cobo1", online=False, clean=False),
        )
        facts = changed(system(State.READY, None, routers=routers), "ecc-cobo1", excluded="dead AsAd", configured=False)
        assert lines(planned("start", None, facts)) == ["START ecc-cobo0 -> RUNNING", "START ecc-mutant -> RUNNING"]

    def test_it_is_named_where_it_is_asked_for(self) -> None:
        facts = changed(system(State.IDLE), "ecc-cobo0", excluded="dead AsAd")
        reason = "ecc-cobo0: it is excluded (dead AsAd): include it again first."
        for action in ACTIONS:
            if action != "stop":
                assert reason in refused(action, ["ecc-cobo0"], facts)
        assert lines(planned("stop", ["ecc-cobo0"], facts)) == ["STOP ecc-cobo0 -> READY"]

    @pytest.mark.parametrize(
        ("state", "transition", "reached"),
        [
            (State.RUNNING, Transition.NONE, True),
            (State.PAUSED, Transition.NONE, True),
            (State.READY, Transition.START, True),
            (State.READY, Transition.NONE, False),
            (None, Transition.NONE, False),
        ],
    )
    def test_a_stop_reaches_it_when_it_may_take_data(
        self, state: State | None, transition: Transition, *, reached: bool
    ) -> None:
        facts = changed(system(state, State.RUNNING), "ecc-cobo0", excluded="noisy", transition=transition)
        names = planned("stop", None, facts).stages[-1].servers
        assert names == (("ecc-cobo0", "ecc-cobo1") if reached else ("ecc-cobo1",))

    def test_where_all_are_excluded_only_a_stop_is_left(self) -> None:
        facts = system(State.READY)
        servers = tuple(replace(server, excluded="power cut") for server in facts.servers)
        for action in ACTIONS:
            if action != "stop":
                assert refused(action, None, replace(facts, servers=servers)) == (
                    "Every ECC server is excluded: include one again first.",
                )
        assert len(planned("stop", None, replace(facts, servers=servers)).stages) == 2


class TestDigest:
    def test_it_names_what_would_be_done(self) -> None:
        facts = system(State.READY, State.PREPARED)
        digest = planned("go_ready", None, facts).digest
        assert digest == planned("go_ready", None, replace(facts, monitor_alive=True)).digest
        assert len(digest) == 12
        others = [
            planned("go_ready", None, system(State.PREPARED, State.PREPARED)),
            planned("go_ready", None, system(State.READY, State.DESCRIBED)),
            planned("go_idle", None, facts),
            planned("start", None, facts),
        ]
        assert len({digest, *(other.digest for other in others)}) == 5

    def test_it_is_the_same_in_every_process(self) -> None:
        assert planned("stop", None, system(State.RUNNING)).digest == "9385c6fdb05b"


def test_two_levels_of_undo_are_two_goals() -> None:
    outcome = planned("undo", None, system(State.PREPARED, State.DESCRIBED, mutant=State.PREPARED))
    assert lines(outcome) == ["UNDO ecc-cobo0 ecc-mutant -> DESCRIBED", "UNDO ecc-cobo1 -> IDLE"]


def test_every_hindrance_is_named_at_once() -> None:
    facts = system(State.OFF, None, State.IDLE, State.IDLE, State.READY, mutant=State.PREPARED)
    facts = changed(facts, "ecc-cobo1", problem="Connection refused.")
    facts = changed(facts, "ecc-cobo2", configured=False)
    facts = changed(facts, "ecc-cobo3", transition=Transition.DESCRIBE)
    assert set(refused("go_ready", None, facts)) == {
        "ecc-cobo0: it is wedged (state 0): restart its ECC server, nothing else helps.",
        "ecc-cobo1: its state is unknown. Connection refused.",
        "ecc-cobo2: no configuration is chosen for it (Setup page).",
        "ecc-cobo3: Describe is under way in it.",
    }


def test_labels_are_those_of_the_buttons() -> None:
    assert [action_label(action) for action in ("go_ready", "go_idle", "undo")] == ["Go to Ready", "Go to Idle", "Undo"]
