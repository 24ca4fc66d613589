"""The crew: takes one run after the other, and waits as little as the page lets it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import OPEN_STATES, Run, RunState
from get_protocol.state_machine import State
from tests.chaos.crew import SHIFTER, Crew, latest_run_state
from tests.chaos.virtual_time import sleep
from tests.closeout.plan import Phase, RunPlan

READY_WITHIN = 150.0
STARTED_WITHIN = 120.0
RUNNING_WITHIN = 30.0
CLOSED_WITHIN = 150.0
PATIENCE = 20.0
"""For so long a crew waits for the files to be put in order by themselves before it presses the button."""


def _nothing(command: Command) -> None:
    """Nobody keeps a list of commands."""


@dataclass
class RunCrew(Crew):
    """Two hands that take runs; `reached` is told when a run comes to a phase."""

    requested: Callable[[Command], None] = _nothing
    reached: Callable[[int, Phase], None] = lambda number, phase: None
    problems: list[str] = field(default_factory=list)
    presses: int = 0
    """Of the button that puts files in order."""
    waited: list[float] = field(default_factory=list)
    """Seconds from the first press of Start until it was accepted."""

    def say(self, text: str) -> None:
        """The same thing said again is not noted again."""
        if not self.said or self.said[-1].partition(" ")[2] != text:
            super().say(text)

    def clean(self) -> bool:
        """Files in staging hold up nothing but Start, which says so."""
        return True

    async def take(self, plan: RunPlan) -> None:
        """One run from Start until it is closed."""
        if not await self._start():
            self.problems.append(f"run {plan.number}: Start was refused for {STARTED_WITHIN:g} s: {self.said[-1:]}")
            return
        await self.until_run("running", limit=RUNNING_WITHIN)
        self.reached(plan.number, Phase.RUNNING)
        await sleep(plan.running)
        self.reached(plan.number, Phase.STOP)
        await self.insist("stop")
        await self.until_run(RunState.CLOSING, limit=CLOSED_WITHIN)
        self.reached(plan.number, Phase.CLOSING)
        if not await self.until_run(limit=CLOSED_WITHIN):
            self.problems.append(f"run {plan.number} is left {latest_run_state()} for {CLOSED_WITHIN:g} s")
        await sleep(plan.gap)

    async def _start(self) -> bool:
        began, tidied = self.world.now(), 0.0
        while self.world.now() - began < STARTED_WITHIN:
            await self.make_ready()
            if self.press("start") is not None:
                self.waited.append(self.world.now() - began)
                return True
            if self.world.now() - began - tidied > PATIENCE:
                tidied = self.world.now() - began
                self.tidy_up()
            await sleep(0.5)
        return False

    def tidy_up(self) -> None:
        """Press the button that puts files in order."""
        self.presses += 1
        self.click("put files in order", lambda: commands.request_set_aside(SHIFTER, self.world.clock.now()))

    async def make_ready(self) -> None:
        """Boards Ready and routers connected, as far as clicks can bring it about."""
        end = self.world.now() + READY_WITHIN
        while not self.ready() and self.world.now() < end:
            if Run.objects.filter(state__in=OPEN_STATES).exists() or self._on_the_way():
                await self.until_quiet(READY_WITHIN)
            await self.one_click()
            await sleep(0.5)

    def _on_the_way(self) -> bool:
        return any(process.service.work is not None for process in self.world.hardware.ecc.values())

    def all_ready(self) -> bool:
        return all(process.service.state is State.READY for process in self.world.hardware.ecc.values())
