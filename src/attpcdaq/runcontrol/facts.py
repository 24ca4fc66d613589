"""What deciding needs to know: plain values, gathered elsewhere, so that the plan stays pure."""

from dataclasses import dataclass, field

from get_protocol.state_machine import State, Transition

COBO = "cobo"
MUTANT = "mutant"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One ECC server as last seen; `state` None is unknown, OFF is wedged (facts 2.4)."""

    name: str
    roles: frozenset[str]
    state: State | None
    transition: Transition = Transition.NONE
    configured: bool = True
    problem: str = ""
    command: str = ""
    """Label of the command that is at work on it, empty for none."""
    other_config: str = ""
    """What it was set up with, where that is not what is chosen for it now."""
    redo_from: State | None = None
    """Where `other_config` says so: the highest state that is still as chosen; Idle when its Describe is not."""
    excluded: str = ""
    """Why the system goes on without it; empty for an included one."""

    @property
    def has_mutant(self) -> bool:
        """It orders its own boards, so one that drives both counts as the MuTAnT's."""
        return MUTANT in self.roles


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """One data router as last seen; None is unknown."""

    name: str
    server: str
    online: bool | None
    clean: bool | None
    files: int = 0
    problem: str = ""
    deaf: bool = False
    """Restarted after its board was configured (facts 4)."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The open run."""

    number: int
    state: str


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """Everything a decision rests on."""

    servers: tuple[ServerFacts, ...]
    routers: tuple[RouterFacts, ...] = ()
    run: RunFacts | None = None
    experiment: str | None = None
    monitor_alive: bool = True
    commands: tuple[str, ...] = field(default=())
    """Labels of the commands at work."""
    setting_aside: bool = False
    """Stray files are being moved out of the staging directories."""
    reconfigure_mutant: bool = False
    """Breakup and Configure of the MuTAnT before each Start, so that its counters begin anew."""

    def server(self, name: str) -> ServerFacts | None:
        return next((server for server in self.servers if server.name == name), None)
