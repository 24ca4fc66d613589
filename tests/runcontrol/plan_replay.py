"""A plan carried out on paper, by the transition table alone: it knows the order of boards and nothing of the plan."""

from collections.abc import Iterable

from attpcdaq.runcontrol.planning.facts import ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.plan import Plan
from attpcdaq.runcontrol.planning.stages import Stage
from get_protocol.state_machine import TABLE, State, Transition

TAKING_DATA = (State.RUNNING, State.PAUSED)
NEVER = (Transition.PAUSE, Transition.RESUME)


class Replay:
    """The states as they become, stage by stage; every breach of a rule is an AssertionError."""

    def __init__(self, facts: SystemFacts, *, ordered: bool = True, stop_everybody: bool = False) -> None:
        self.servers = {server.name: server for server in facts.servers}
        self.states = {server.name: server.state for server in facts.servers}
        self.lowest = dict(self.states)
        self.made: dict[str, list[Transition]] = {name: [] for name in self.servers}
        self.ordered = ordered
        self.stop_everybody = stop_everybody

    def run(self, plan: Plan) -> "Replay":
        for stage in plan.stages:
            self._stage(stage)
        return self

    def _stage(self, stage: Stage) -> None:
        assert stage.servers
        assert stage.transition not in NEVER
        assert len(set(stage.servers)) == len(stage.servers)
        if self.ordered:
            self._check_order(stage)
        for name in stage.servers:
            self._call(name, stage)

    def _call(self, name: str, stage: Stage) -> None:
        state = self.states[name]
        if stage.transition is Transition.STOP and self.stop_everybody and state not in TAKING_DATA:
            return
        assert state is not None
        assert state in TABLE[stage.transition], f"{name} is {state!r}: {stage}"
        assert stage.transition is not Transition.BREAKUP or state is State.READY
        after = TABLE[stage.transition][state]
        assert after is stage.goal
        self.states[name] = after
        self.made[name].append(stage.transition)
        lowest = self.lowest[name]
        assert lowest is not None
        self.lowest[name] = min(lowest, after)

    def _check_order(self, stage: Stage) -> None:
        """Domain, the order of boards: who waits for whom before each call."""
        mutants = self._states(server for server in self._included() if server.has_mutant)
        cobos = self._states(server for server in self._included() if not server.has_mutant)
        with_mutant = any(self.servers[name].has_mutant for name in stage.servers)
        with_cobo = any(not self.servers[name].has_mutant for name in stage.servers)
        if stage.transition in (Transition.PREPARE, Transition.CONFIGURE, Transition.START, Transition.STOP):
            assert not (with_mutant and with_cobo), stage
        if stage.transition is Transition.PREPARE and with_mutant:
            assert all(state < State.PREPARED for state in cobos), cobos
        if stage.transition is Transition.PREPARE and with_cobo:
            assert all(state >= State.PREPARED for state in mutants), mutants
        if stage.transition is Transition.CONFIGURE and with_cobo:
            assert all(state < State.READY for state in mutants), mutants
        if stage.transition is Transition.CONFIGURE and with_mutant:
            assert all(state >= State.READY for state in cobos), cobos
        if stage.transition is Transition.START and with_cobo:
            assert State.RUNNING not in mutants
        if stage.transition is Transition.START and with_mutant:
            assert all(state is State.RUNNING for state in cobos), cobos
        if stage.transition is Transition.STOP and with_cobo:
            assert not any(state in TAKING_DATA for state in mutants), mutants

    def _included(self) -> list[ServerFacts]:
        return [server for server in self.servers.values() if not server.excluded]

    def _states(self, servers: Iterable[ServerFacts]) -> list[State]:
        states = [self.states[server.name] for server in servers]
        return [state for state in states if state is not None]
