"""When things happened in the database, by the time that no clock step changes."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from uuid import UUID

from attpcdaq.runcontrol.models import ACTIVE_STATES, Command
from attpcdaq.runlog.models import OPEN_STATES, Run
from tests.chaos.ecc_port import Begun
from tests.chaos.evidence import CommandRow, Look, RunRow
from tests.chaos.page import look
from tests.chaos.virtual_time import Clock, sleep
from tests.chaos.world import World

EVERY = 0.4
LOOK_EVERY = 2.5


@dataclass
class Seen:
    """A command as it was seen over time."""

    requested: float
    expires_at: datetime
    until: float
    finished: float | None = None


@dataclass
class Watch:
    """Looks at the rows twice a second, and at the page every 2.5 s."""

    world: World
    commands: dict[str, Seen] = field(default_factory=dict)
    runs: dict[int, dict[str, float]] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    last_run: int = 0
    paused: bool = False

    async def run(self) -> None:
        next_look = self.world.now()
        while True:
            await sleep(EVERY)
            if self.paused:
                continue
            self.see_commands()
            self.see_runs()
            if self.world.now() >= next_look and self.worth_a_look():
                self.looks.append(look(self.world))
                next_look = self.world.now() + LOOK_EVERY

    def worth_a_look(self) -> bool:
        """Whether boards send, or a run is open: what the page says of anything else is looked at elsewhere."""
        return bool(self.world.hardware.sending(self.world.now())) or Run.objects.filter(state__in=OPEN_STATES).exists()

    def requested(self, command: Command) -> None:
        """The crew's click made or joined this command."""
        self._see(str(command.pk), command.expires_at)

    def execution(self, command_id: UUID) -> Begun:
        """An execution of a command begins; one that nobody knows any more may not be begun at all."""
        self.see_commands()
        seen = self.commands.get(str(command_id))
        return Begun(self.world.now(), str(command_id), seen.until if seen else -inf)

    def see_commands(self) -> None:
        active = {
            str(pk): at for pk, at in Command.objects.filter(state__in=ACTIVE_STATES).values_list("pk", "expires_at")
        }
        for pk, expires_at in active.items():
            self._see(pk, expires_at)
        for pk, seen in self.commands.items():
            if pk not in active and seen.finished is None:
                seen.finished = self.world.now()

    def _see(self, pk: str, expires_at: datetime) -> None:
        seen = self.commands.get(pk)
        if seen is None or seen.expires_at != expires_at:
            now = self.world.now()
            until = now + (expires_at - self.world.clock.now()).total_seconds()
            self.commands[pk] = Seen(seen.requested if seen else now, expires_at, until)

    def see_runs(self) -> None:
        for pk, number, state in Run.objects.filter(pk__gt=self.last_run).values_list("pk", "number", "state"):
            self.runs.setdefault(pk, {}).setdefault(state, self.world.now())
            self.numbers.setdefault(number, pk)

    def next_cycle(self) -> None:
        """Forget what is over."""
        self.last_run = max(self.runs, default=self.last_run)
        self.commands.clear()
        self.runs.clear()
        self.looks.clear()

    def corrected(self, row: RunRow, clock: Clock, since: float) -> RunRow:
        """The row with times by our own clock where the system's was stepped meanwhile."""
        seen = self.runs.get(row.pk, {})
        row = replace(row, over=seen.get("closing", seen.get("closed", row.closed)))
        if not clock.stepped_since(since):
            return row
        return replace(
            row,
            requested=min(seen.values(), default=row.requested),
            started=None if row.started is None else seen.get("running", row.started),
            stopped=None if row.stopped is None else seen.get("closing", row.stopped),
            closed=None if row.closed is None else seen.get("closed", seen.get("failed", row.closed)),
        )

    def corrected_command(self, row: CommandRow) -> CommandRow:
        seen = self.commands.get(row.pk)
        if seen is None:
            return row
        finished = None if row.finished is None else seen.finished
        return replace(row, requested=seen.requested, finished=finished)
