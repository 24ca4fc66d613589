"""The plan decides: pure, from any mix of states."""

import pytest

from attpcdaq.runcontrol.planning.facts import COBO, MUTANT, RouterFacts, RunFacts, ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.plan import ACTIONS, Plan, Refusal, plan
from get_protocol.state_machine import State, Transition


def server(name: str, state: State | None, role: str = COBO, **more) -> ServerFacts:
    return ServerFacts(name, frozenset({role}), state, **more)


def system(*states: State | None, mutant: State | str | None = "none", **more) -> SystemFacts:
    servers = [server(f"ecc-cobo{n}", state) for n, state in enumerate(states)]
    if mutant != "none":
        servers.append(server("ecc-mutant", mutant, MUTANT))
    more.setdefault("experiment", "e20009")
    return SystemFacts(tuple(servers), **more)


def stages(outcome: Plan | Refusal) -> list[tuple[str, ...]]:
    assert isinstance(outcome, Plan), outcome
    return [stage.servers for stage in outcome.stages]


def reasons(outcome: Plan | Refusal) -> tuple[str, ...]:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reasons


@pytest.mark.parametrize(
    ("action", "state", "order"),
    [
        ("describe", State.IDLE, [("ecc-cobo0", "ecc-cobo1", "ecc-mutant")]),
        ("prepare", State.DESCRIBED, [("ecc-mutant",), ("ecc-cobo0", "ecc-cobo1")]),
        ("configure", State.PREPARED, [("ecc-cobo0", "ecc-cobo1"), ("ecc-mutant",)]),
        ("start", State.READY, [("ecc-cobo0", "ecc-cobo1"), ("ecc-mutant",)]),
        ("stop", State.RUNNING, [("ecc-mutant",), ("ecc-cobo0", "ecc-cobo1")]),
        ("breakup", State.READY, [("ecc-cobo0", "ecc-cobo1", "ecc-mutant")]),
        ("undo", State.PREPARED, [("ecc-cobo0", "ecc-cobo1", "ecc-mutant")]),
    ],
)
def test_the_order_of_boards(action: str, state: State, order: list[tuple[str, ...]]) -> None:
    assert stages(plan(action, None, system(state, state, mutant=state))) == order


def test_one_server_that_drives_cobos_and_the_mutant_is_called_once_and_as_the_mutant() -> None:
    both = ServerFacts("ecc-all", frozenset({COBO, MUTANT}), State.READY)
    facts = SystemFacts((both, server("ecc-cobo9", State.READY)), experiment="x")
    assert stages(plan("start", None, facts)) == [("ecc-cobo9",), ("ecc-all",)]
    assert stages(plan("start", None, SystemFacts((both,), experiment="x"))) == [("ecc-all",)]


def test_a_retry_takes_only_the_one_that_is_behind() -> None:
    outcome = plan("configure", None, system(State.READY, State.PREPARED, mutant=State.PREPARED))
    assert stages(outcome) == [("ecc-cobo1",), ("ecc-mutant",)]


def test_a_restarted_server_can_be_brought_up_beside_the_others() -> None:
    for action, state in (("describe", State.IDLE), ("prepare", State.DESCRIBED)):
        facts = system(State.READY, state, mutant=State.READY)
        assert stages(plan(action, None, facts)) == [("ecc-cobo1",)]


def test_one_call_for_the_whole_system_keeps_the_order_towards_those_that_are_past_it() -> None:
    assert reasons(plan("configure", None, system(State.READY, State.PREPARED, mutant=State.READY))) == (
        (
            "The MuTAnT is configured after the CoBos, but ecc-mutant has been configured already. "
            "Go to Ready does it in order."
        ),
    )
    assert reasons(plan("prepare", None, system(State.READY, State.PREPARED, mutant=State.DESCRIBED))) == (
        (
            "The MuTAnT is prepared before the CoBos, but ecc-cobo0, ecc-cobo1 have been prepared already. "
            "Go to Ready does it in order."
        ),
    )


def test_single_servers_are_called_all_the_same_and_the_plan_says_what_is_out_of_order() -> None:
    outcome = plan("configure", ["ecc-cobo1"], system(State.READY, State.PREPARED, mutant=State.READY))
    assert stages(outcome) == [("ecc-cobo1",)]
    assert isinstance(outcome, Plan)
    assert (
        outcome.stages[0].why == "The MuTAnT is configured after the CoBos, but ecc-mutant has been configured already."
    )


def test_unknown_never_allows_anything_and_is_named() -> None:
    facts = SystemFacts((server("ecc-cobo0", State.READY), server("ecc-cobo1", None, problem="connection refused.")))
    for action in ACTIONS:
        if action != "stop":
            text = " ".join(reasons(plan(action, None, facts)))
            assert "ecc-cobo1: its state is unknown. connection refused." in text


def test_wedged_says_what_helps() -> None:
    assert "restart its ECC server" in " ".join(reasons(plan("breakup", None, system(State.OFF))))


def test_too_early_says_what_comes_first() -> None:
    assert reasons(plan("configure", None, system(State.IDLE))) == (
        "ecc-cobo0: it is Idle, and Configure needs Prepared.",
    )
    assert reasons(plan("undo", None, system(State.READY))) == ("ecc-cobo0: it is Ready: Breakup comes before Undo.",)


def test_nothing_to_do_is_said() -> None:
    assert reasons(plan("configure", None, system(State.READY, State.READY))) == (
        "Nothing to do: every server is Ready.",
    )
    assert reasons(plan("configure", ["ecc-cobo0"], system(State.READY, State.IDLE))) == (
        "Nothing to do: ecc-cobo0 is Ready.",
    )


def test_a_missing_configuration_is_named() -> None:
    facts = SystemFacts((server("ecc-cobo0", State.IDLE, configured=False),))
    assert reasons(plan("describe", None, facts)) == ("ecc-cobo0: no configuration is chosen for it (Setup page).",)


def test_a_command_under_way_refuses_the_next() -> None:
    assert reasons(plan("describe", None, system(State.IDLE, commands=("Prepare",)))) == ("Prepare is under way.",)
    busy = SystemFacts((server("ecc-cobo0", State.IDLE, command="Describe"), server("ecc-cobo1", State.IDLE)))
    assert reasons(plan("describe", ["ecc-cobo0"], busy)) == ("ecc-cobo0: Describe is under way.",)
    assert stages(plan("describe", ["ecc-cobo1"], busy)) == [("ecc-cobo1",)]


def test_a_transition_under_way_satisfies_no_condition() -> None:
    facts = SystemFacts((server("ecc-cobo0", State.PREPARED, transition=Transition.CONFIGURE),), experiment="x")
    assert reasons(plan("configure", None, facts)) == ("ecc-cobo0: Configure is under way in it.",)


class TestStart:
    def test_every_reason_is_named_at_once(self) -> None:
        facts = system(
            State.READY,
            State.PREPARED,
            State.READY,
            mutant=None,
            experiment=None,
            run=RunFacts(7, "closing"),
            routers=(
                RouterFacts("router-cobo0", "ecc-cobo0", online=False, clean=True),
                RouterFacts("router-cobo1", "ecc-cobo1", online=True, clean=False, files=4),
                RouterFacts("router-cobo2", "ecc-cobo2", online=None, clean=None, problem="no route to host"),
            ),
        )
        text = "\n".join(reasons(plan("start", None, facts)))
        for piece in (
            "No experiment is active",
            "Run 7 is still closing",
            "router-cobo0: the data router is not running",
            "router-cobo1: its staging directory is not clean (4 GRAW files)",
            "router-cobo2: its state is unknown. no route to host",
            "ecc-mutant: its state is unknown",
        ):
            assert piece in text

    def test_a_full_disk_a_deaf_router_and_how_much_is_needed_are_named(self) -> None:
        facts = system(
            State.READY,
            State.READY,
            State.READY,
            min_free=2 * 10**9,
            routers=(
                RouterFacts("router-cobo0", "ecc-cobo0", True, True, hears=True, node="mm0", disk_free=1_999_999_999),
                RouterFacts("router-cobo1", "ecc-cobo1", True, True, hears=False, node="mm1", disk_free=2 * 10**9),
                RouterFacts("router-cobo2", "ecc-cobo2", True, True, hears=None, node="mm2", disk_free=None),
            ),
        )
        assert reasons(plan("start", None, facts)) == (
            "router-cobo1: its port is taken by another process: it is deaf; restart it.",
            (
                "router-cobo0: 2.00 GB are free on mm0, and no run starts with less than 2.00 GB "
                "(an expert may change that)."
            ),
        )

    def test_without_a_limit_or_without_a_figure_disks_do_not_count(self) -> None:
        empty = RouterFacts("router-cobo0", "ecc-cobo0", True, True, node="mm0", disk_free=0)
        unknown = RouterFacts("router-cobo0", "ecc-cobo0", True, True, node="mm0")
        assert isinstance(plan("start", None, system(State.READY, routers=(empty,))), Plan)
        assert isinstance(plan("start", None, system(State.READY, routers=(unknown,), min_free=10**12)), Plan)

    @pytest.mark.parametrize("restarted", [False, True])
    def test_a_repair_asks_for_ears_and_not_for_space(self, restarted: bool) -> None:
        lost = RouterFacts(
            "router-cobo1", "ecc-cobo1", True, False, deaf=restarted, hears=False, node="mm1", disk_free=0
        )
        facts = system(State.RUNNING, State.READY, run=RunFacts(3, "running"), routers=(lost,), min_free=10**9)
        assert reasons(plan("start", ["ecc-cobo1"], facts)) == (
            "router-cobo1: its port is taken by another process: it is deaf; restart it.",
        )

    def test_an_excluded_board_with_a_full_disk_keeps_nobody_from_starting(self) -> None:
        full = RouterFacts("router-cobo1", "ecc-cobo1", True, True, hears=False, node="mm1", disk_free=0)
        servers = (server("ecc-cobo0", State.READY), server("ecc-cobo1", State.READY, excluded="HV trips"))
        facts = SystemFacts(servers, (full,), experiment="x", min_free=10**9)
        assert isinstance(plan("start", None, facts), Plan)

    def test_one_alone_is_a_repair_of_a_running_run(self) -> None:
        facts = system(State.RUNNING, State.READY, run=RunFacts(3, "running"))
        assert stages(plan("start", ["ecc-cobo1"], facts)) == [("ecc-cobo1",)]
        text = reasons(plan("start", ["ecc-cobo1"], system(State.READY, State.READY)))
        assert "No run is running" in text[0]

    def test_one_alone_with_a_deaf_router_goes_back_first(self) -> None:
        deaf = (RouterFacts("router-cobo1", "ecc-cobo1", online=True, clean=True, deaf=True),)
        facts = system(State.RUNNING, State.READY, run=RunFacts(3, "running"), routers=deaf)
        assert "router-cobo1: it was restarted and is deaf" in reasons(plan("start", ["ecc-cobo1"], facts))[0]

    def test_one_alone_waits_for_its_router_and_for_its_restart(self) -> None:
        off = (
            RouterFacts("router-cobo0", "ecc-cobo0", online=False, clean=False),
            RouterFacts("router-cobo1", "ecc-cobo1", online=False, clean=False),
        )
        restarting = ("ecc-cobo0", "ecc-cobo1")
        facts = system(State.RUNNING, State.READY, run=RunFacts(3, "running"), routers=off, restarting=restarting)
        assert reasons(plan("start", ["ecc-cobo1"], facts)) == (
            "ecc-cobo1: it is being restarted.",
            "router-cobo1: the data router is not running.",
        )

    def test_it_needs_a_living_monitor(self) -> None:
        assert "monitor" in reasons(plan("start", None, system(State.READY, monitor_alive=False)))[0]


class TestBreakupWithAnOpenRun:
    def test_it_stops_the_run_first_and_needs_a_word(self) -> None:
        outcome = plan("breakup", None, system(State.RUNNING, mutant=State.RUNNING, run=RunFacts(3, "running")))
        assert stages(outcome) == [("ecc-mutant",), ("ecc-cobo0",), ("ecc-cobo0", "ecc-mutant")]
        assert isinstance(outcome, Plan)
        assert outcome.confirm == "Run 3 is open. Breakup stops it first."

    def test_of_one_board_takes_it_out_of_the_run(self) -> None:
        outcome = plan("breakup", ["ecc-cobo0"], system(State.RUNNING, State.RUNNING, run=RunFacts(3, "running")))
        assert stages(outcome) == [("ecc-cobo0",), ("ecc-cobo0",)]
        assert isinstance(outcome, Plan)
        assert [stage.transition for stage in outcome.stages] == [Transition.STOP, Transition.BREAKUP]
        assert "takes ecc-cobo0 out of it" in outcome.confirm


def test_without_hardware_everything_points_to_the_setup() -> None:
    for action in ACTIONS:
        assert "Easy setup" in reasons(plan(action, None, SystemFacts(())))[0]
