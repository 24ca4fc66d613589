"""The crew: presses what the page offers, and leads out of a mess by the clicks that the manual promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking import adopt, commands, exclude, restarts
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command, Exclusion, Restart
from attpcdaq.runlog.models import OPEN_STATES, Run
from get_protocol.state_machine import State
from tests.chaos.page import disagreements, look
from tests.chaos.processes import Killed
from tests.chaos.virtual_time import sleep
from tests.chaos.world import World, published

SHIFTER = Requester("anna", role="shifter", origin="127.0.0.1")
RIGHT_WITHIN = 10.0
# Longer than the longest of all ways: a Stop of servers that are silent holds a run for 60 s.
SETTLED_WITHIN = 100.0
MOST_CLICKS = 6


@dataclass
class Crew:
    """Two hands at one page."""

    world: World
    requested: Callable[[Command], None]
    said: list[str] = field(default_factory=list)
    clicks: list[str] = field(default_factory=list)

    def click(self, what: str, work: Callable[[], Any]) -> Any:
        """What came of it; None when it was refused, or nobody was there to answer."""
        answer = None
        try:
            answer = self.world.parts.web.ask(work)
        except (CommandRefused, BadCommand) as refusal:
            self.say(f"{what}: refused: {refusal}")
        except (Killed, DatabaseError) as trouble:
            self.say(f"{what}: no answer: {trouble!r}")
        else:
            self.say(what)
        published(self.world.broker)
        if isinstance(answer, Command):
            self.requested(answer)
        return answer

    def say(self, text: str) -> None:
        self.said.append(f"{self.world.now():.2f} {text}")

    def press(self, action: str, targets: list[str] | None = None, *, confirm: bool = True) -> Command | None:
        """A button of the page."""
        now = self.world.clock.now
        what = f"{action} {' '.join(targets or ())}".strip()
        return self.click(what, lambda: commands.request(action, targets, SHIFTER, confirm=confirm, now=now()))

    def adopt(self) -> Run | None:
        return self.click("adopt", lambda: adopt.adopt(SHIFTER, self.world.clock.now()))

    def exclude(self, name: str) -> None:
        self.click(f"exclude {name}", lambda: exclude.exclude(name, "it misbehaves", SHIFTER, self.world.clock.now()))

    def include(self, name: str) -> None:
        self.click(f"include {name}", lambda: exclude.include(name, SHIFTER, self.world.clock.now()))

    async def insist(self, action: str, patience: float = 12.0) -> Command | None:
        """Press again while nobody answers, or the system says that it is not ready for it yet."""
        end = self.world.now() + patience
        while (command := self.press(action)) is None and self.world.now() < end:
            await sleep(1.0)
        return command

    async def until_run(self, *states: str, limit: float) -> bool:
        """Wait for the latest run to come into one of these states, as long as somebody is at work on it."""
        return await self.world.until(lambda: latest_run_state() in (*states, "failed", "closed"), limit, every=0.25)

    async def until_quiet(self, limit: float = SETTLED_WITHIN) -> bool:
        """Wait until nobody is at work on anything."""
        return await self.world.until(nobody_at_work, limit, every=0.25)

    # The way out

    async def lead_out(self) -> list[str]:
        """Repair what only hands can, then click until all is Ready; the messes that did not end."""
        self.repair()
        if not await self.world.until(self.page_is_right, RIGHT_WITHIN, every=0.25):
            return [f"10 s after all was back: {'; '.join(disagreements(look(self.world), self.world.hardware))}"]
        for _ in range(MOST_CLICKS):
            if not await self.until_quiet():
                return [f"after {SETTLED_WITHIN:g} s somebody is still at work: {at_work()}"]
            # What was just done is seen before the next click is chosen.
            await self.world.until(lambda: self.page_is_right() or not nobody_at_work(), RIGHT_WITHIN, every=0.25)
            if not nobody_at_work():
                continue
            if self.ready():
                return []
            await self.one_click()
        return [f"{MOST_CLICKS} clicks did not lead to Ready ({', '.join(self.clicks)}): {self.describe()}"]

    def repair(self) -> None:
        """An expert's hands: what is broken is replaced, what is dead is switched on."""
        hardware = self.world.hardware
        self.world.node_faults.clear()
        hardware.clear_faults()
        for name in (*hardware.nodes.nodes, *hardware.boards, *hardware.ecc, *hardware.routers):
            if not hardware.alive(name):
                hardware.restart(name)

    def page_is_right(self) -> bool:
        return not disagreements(look(self.world), self.world.hardware)

    def ready(self) -> bool:
        services = [process.service for process in self.world.hardware.ecc.values()]
        at_rest = all(service.state is State.READY and service.work is None for service in services)
        return at_rest and not Run.objects.filter(state__in=OPEN_STATES).exists() and self.clean() and not self.deaf()

    def clean(self) -> bool:
        nodes = self.world.hardware.nodes.nodes.values()
        return not any(name.endswith(".graw") for node in nodes for name in node.directories.get("/staging", {}))

    def deaf(self) -> bool:
        """Whether a board that should send has no connection to a living router."""
        return any(not router.connected for router in self.world.hardware.routers.values())

    async def one_click(self) -> None:
        """What the page says: Stop what runs, include who is out, restart the wedged, put strays aside, go to Ready."""
        hardware = self.world.hardware
        states = {name: process.service.state for name, process in hardware.ecc.items()}
        wedged = [name for name, state in states.items() if state is State.OFF]
        open_run = Run.objects.filter(state__in=OPEN_STATES).exists()
        excluded = Exclusion.objects.values_list("ecc_server__name", flat=True).first()
        if (open_run and self.clicks[-1:] != ["Stop"]) or State.RUNNING in states.values():
            await self._clicked("Stop", self.press("stop"))
        elif excluded is not None:
            self.clicks.append("Include again")
            self.include(excluded)
        elif wedged:
            await self._restart(wedged[0])
        elif not open_run and not self.clean() and not hardware.sending(self.world.now()):
            self.clicks.append("set aside")
            self.click("set aside", lambda: commands.request_set_aside(SHIFTER, self.world.clock.now()))
            await self.world.until(self.clean, 10.0)
        elif self.clicks[-1:] == ["Go to Ready"] or set(states.values()) == {State.READY}:
            # A board was switched on again and knows nothing, whatever its ECC server says: begin with Describe.
            await self._clicked("Go to Idle", self.press("go_idle"))
        else:
            await self._clicked("Go to Ready", self.press("go_ready"))

    async def _restart(self, name: str) -> None:
        """An expert presses the restart button of an ECC server."""
        now = self.world.clock.now()
        asked = self.click(
            f"restart {name}", lambda: restarts.request_restart("ecc", name, SHIFTER, confirm=True, now=now)
        )
        self.clicks.append("restart" if asked else "restart (refused)")
        await sleep(1.0)
        await self.world.until(lambda: not restarts_at_work().exists(), SETTLED_WITHIN)

    async def _clicked(self, label: str, command: Command | None) -> None:
        self.clicks.append(label if command else f"{label} (refused)")
        await (self.until_quiet() if command else sleep(3.0))

    def describe(self) -> str:
        shown = look(self.world)
        last = "; ".join(self.said[-4:])
        truth = {name: process.service.state.name for name, process in self.world.hardware.ecc.items()}
        return f"page: {shown.level} {shown.text!r}; hardware: {truth}; run {latest_run_state()}; said: {last}"


def nobody_at_work() -> bool:
    """No command is under way, and no run on its way without one."""
    if Command.objects.filter(state__in=ACTIVE_STATES).exists():
        return False
    return not Run.objects.filter(state__in=("requested", "starting", "closing")).exists()


def restarts_at_work() -> QuerySet[Restart]:
    return Restart.objects.filter(state__in=ACTIVE_STATES)


def at_work() -> str:
    commands_ = Command.objects.filter(state__in=ACTIVE_STATES).values_list("action", "state", "revivals")
    runs = Run.objects.filter(state__in=OPEN_STATES).values_list("number", "state", "verdict")
    return f"commands {list(commands_)}, runs {list(runs)}"


def latest_run_state() -> str:
    return Run.objects.values_list("state", flat=True).first() or ""
