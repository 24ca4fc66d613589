"""From any mix of states to any goal: legal calls only, in the order of boards, or every reason named."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attpcdaq.runcontrol.planning.facts import COBO, MUTANT, RouterFacts, RunFacts, ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.plan import ACTIONS, Plan, Refusal, plan
from get_protocol.state_machine import State, Transition
from tests.runcontrol.plan_replay import TAKING_DATA, Replay

BOTH = "both"
ROLES = {COBO: frozenset({COBO}), MUTANT: frozenset({MUTANT}), BOTH: frozenset({COBO, MUTANT})}
STATES = (None, *State)
LAYOUTS = ((COBO, COBO, MUTANT), (COBO, COBO, BOTH))
RUNS = (None, RunFacts(7, "running"), RunFacts(7, "closing"))
GOALS = {"go_ready": State.READY, "go_idle": State.IDLE, "start": State.RUNNING}
SINGLE_GOALS = {
    "describe": State.DESCRIBED,
    "prepare": State.PREPARED,
    "configure": State.READY,
}
REDO = (None, State.IDLE, State.DESCRIBED, State.PREPARED)


def system(kinds: tuple[str, ...], states: tuple[State | None, ...], **more) -> SystemFacts:
    servers = (
        ServerFacts(f"ecc-{kind}{number}", ROLES[kind], state)
        for number, (kind, state) in enumerate(zip(kinds, states, strict=True))
    )
    return SystemFacts(tuple(servers), experiment="e20009", **more)


def mixes() -> Iterator[SystemFacts]:
    """All combinations of states of three servers, with and without a run, and the MuTAnT anew or not."""
    for kinds, states, run, anew in itertools.product(
        LAYOUTS, itertools.product(STATES, repeat=3), RUNS, (False, True)
    ):
        yield system(kinds, states, run=run, reconfigure_mutant=anew)


def check(action: str, facts: SystemFacts) -> Plan | Refusal:
    """The outcome for the whole system, replayed."""
    outcome = plan(action, None, facts)
    if isinstance(outcome, Refusal):
        check_refusal(action, outcome, facts)
        return outcome
    in_a_run = facts.run is not None and facts.run.state != "closing"
    assert bool(outcome.confirm) == (in_a_run and action in ("go_ready", "go_idle", "breakup", "undo"))
    if outcome.confirm:
        stopped = {name for stage in outcome.stages if stage.transition is Transition.STOP for name in stage.servers}
        assert stopped >= {server.name for server in facts.servers if not server.excluded}
        assert stopped >= {server.name for server in facts.servers if server.state in TAKING_DATA}
    replay = Replay(facts, stop_everybody=action == "stop" or bool(outcome.confirm)).run(outcome)
    check_reached(action, replay, facts)
    check_fresh(action, replay, facts)
    assert outcome.stages
    again = replace(facts, servers=after(replay, facts), routers=(), run=None, reconfigure_mutant=False)
    if action in ("go_ready", "go_idle"):
        assert plan_refused(action, again)[0].startswith("Nothing to do")
    return outcome


def after(replay: Replay, facts: SystemFacts) -> tuple[ServerFacts, ...]:
    return tuple(replace(server, state=replay.states[server.name], redo_from=None) for server in facts.servers)


def plan_refused(action: str, facts: SystemFacts) -> tuple[str, ...]:
    outcome = plan(action, None, facts)
    assert isinstance(outcome, Refusal), outcome
    return outcome.reasons


def check_reached(action: str, replay: Replay, facts: SystemFacts) -> None:
    for server in facts.servers:
        reached = replay.states[server.name]
        if server.excluded:
            assert set(replay.made[server.name]) <= {Transition.STOP}
        elif action in GOALS:
            assert reached is GOALS[action]
        elif action in SINGLE_GOALS:
            assert reached is not None
            assert reached >= SINGLE_GOALS[action]
        elif action == "stop":
            assert reached not in TAKING_DATA
        elif action == "breakup":
            assert reached in (State.IDLE, State.DESCRIBED, State.PREPARED)


def check_fresh(action: str, replay: Replay, facts: SystemFacts) -> None:
    """What was set up otherwise, or for a router that is gone, or must be new, has gone back and come up again."""
    deaf = {router.server for router in facts.routers if router.deaf}
    for server in facts.servers:
        lowest = replay.lowest[server.name]
        if server.excluded or action not in ("go_ready", "start"):
            continue
        assert lowest is not None
        if server.redo_from is not None:
            assert lowest <= server.redo_from
        if server.name in deaf or (action == "start" and facts.reconfigure_mutant and server.has_mutant):
            assert lowest <= State.PREPARED
    cobos = [made for name, made in replay.made.items() if not replay.servers[name].has_mutant]
    if action in ("go_ready", "start") and any(Transition.CONFIGURE in made for made in cobos):
        mutants = [server for server in facts.servers if server.has_mutant and not server.excluded]
        assert all(Transition.CONFIGURE in replay.made[mutant.name] for mutant in mutants)


def check_refusal(action: str, outcome: Refusal, facts: SystemFacts) -> None:
    assert action != "stop"
    assert all(outcome.reasons)
    assert len(set(outcome.reasons)) == len(outcome.reasons)
    included = [server for server in facts.servers if not server.excluded]
    hindered = [server for server in included if is_hindered(server)]
    for server in hindered:
        assert any(reason.startswith(f"{server.name}: ") for reason in outcome.reasons), (server, outcome)
    if action not in GOALS or hindered or not included:
        return
    bare = [server for server in included if not server.configured]
    loose = [server for server in included if server.state is State.RUNNING]
    at_goal = all(server.state is GOALS[action] for server in included)
    if action == "start":
        assert bare or loose or facts.run is not None
        if facts.run is None:
            assert all(any(r.startswith(f"{server.name}: it is Running") for r in outcome.reasons) for server in loose)
    elif not bare or action == "go_idle":
        assert at_goal, outcome
        assert facts.run is None or facts.run.state == "closing"
        assert outcome.reasons[0].startswith("Nothing to do")


def is_hindered(server: ServerFacts) -> bool:
    return server.state in (None, State.OFF) or server.transition is not Transition.NONE or bool(server.command)


@pytest.mark.parametrize("action", ACTIONS)
def test_all_combinations_of_three_servers(action: str) -> None:
    planned = sum(isinstance(check(action, facts), Plan) for facts in mixes())
    assert planned > 0


@pytest.mark.parametrize("action", GOALS)
def test_one_server_that_drives_all_boards(action: str) -> None:
    for state, run in itertools.product(STATES, RUNS):
        check(action, system((BOTH,), (state,), run=run, reconfigure_mutant=True))


@st.composite
def systems(draw: st.DrawFn, count: int = 12) -> SystemFacts:
    """A mix of states, most of them healthy, with everything else that changes a plan."""
    healthy = st.sampled_from([State.IDLE, State.DESCRIBED, State.PREPARED, State.READY, State.RUNNING, State.PAUSED])
    ill = draw(st.integers(0, 3)) == 0
    states = st.one_of(healthy, healthy, healthy, st.sampled_from(STATES)) if ill else healthy
    last = draw(st.sampled_from([COBO, MUTANT, BOTH]))
    kinds = [*[COBO] * (count - 1), last]
    servers, routers = [], []
    for number, kind in enumerate(kinds):
        name, state = f"ecc-{kind}{number}", draw(states)
        beyond = [redo for redo in REDO if redo is None or (state is not None and state > redo)]
        servers.append(
            ServerFacts(
                name,
                ROLES[kind],
                state,
                transition=draw(st.sampled_from([Transition.NONE] * 9 + [Transition.CONFIGURE] * ill)),
                configured=not ill or draw(st.integers(0, 9)) > 0,
                redo_from=draw(st.sampled_from(beyond)),
                other_config="Prepare was done with a, but b is chosen.",
                excluded="dead AsAd" if draw(st.integers(0, 5)) == 0 else "",
            )
        )
        deaf = draw(st.booleans()) and state is not None and state >= State.READY
        routers.append(RouterFacts(f"router{number}", name, online=True, clean=True, deaf=deaf))
    return SystemFacts(
        tuple(servers),
        tuple(routers),
        run=draw(st.sampled_from([None, None, *RUNS, RunFacts(8, "starting"), RunFacts(8, "stopping")])),
        experiment="e20009",
        reconfigure_mutant=draw(st.booleans()),
    )


@settings(max_examples=300)
@given(systems(), st.sampled_from([*ACTIONS, *GOALS, *GOALS]))
def test_twelve_servers_with_anything_the_matter(facts: SystemFacts, action: str) -> None:
    check(action, facts)


@given(systems(3), st.sampled_from(["go_ready", "go_idle", "breakup", "undo", "configure", "stop"]), st.integers(0, 2))
def test_one_server_alone_is_led_there_and_no_other_is_touched(facts: SystemFacts, action: str, which: int) -> None:
    server = facts.servers[which]
    outcome = plan(action, [server.name], facts)
    if isinstance(outcome, Refusal):
        assert action != "stop"
        assert all(outcome.reasons)
        if server.excluded:
            assert any("it is excluded (dead AsAd): include it again first." in reason for reason in outcome.reasons)
        return
    replay = Replay(facts, ordered=False, stop_everybody=action == "stop").run(outcome)
    assert all(not made for name, made in replay.made.items() if name != server.name)
    if action in GOALS:
        assert replay.states[server.name] is GOALS[action]
    assert action == "stop" or not server.excluded


@given(systems(4), st.sampled_from(["go_ready", "go_idle"]), st.data())
def test_whatever_fails_half_way_the_next_plan_leads_on(facts: SystemFacts, action: str, data: st.DataObject) -> None:
    """Some stages are done, the next by some servers only; what is planned then still gets there."""
    first = plan(action, None, facts)
    if isinstance(first, Refusal):
        return
    done = data.draw(st.integers(0, len(first.stages) - 1))
    broken = first.stages[done]
    some = tuple(name for name in broken.servers if data.draw(st.booleans()))
    so_far = (*first.stages[:done], *([replace(broken, servers=some)] if some else []))
    replay = Replay(facts, stop_everybody=bool(first.confirm)).run(replace(first, stages=so_far))
    second = check(action, replace(facts, servers=after(replay, facts), routers=()))
    if isinstance(second, Refusal):
        assert second.reasons[0].startswith("Nothing to do")
