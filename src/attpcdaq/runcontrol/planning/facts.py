"""What deciding needs to know: plain values, gathered elsewhere, so that the plan stays pure."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

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
    """Says what it was set up with, where that is not what is chosen for it now."""
    redo_from: State | None = None
    """The highest state that is as chosen, where `other_config` says that it is beyond; Idle if Describe differs."""
    redo_why: str = ""
    """Another reason to go back to `redo_from` first."""
    drifted_to: State | None = None
    """Files that it has in use changed on disk: the highest state in which none of them is in use."""
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
    hears: bool | None = None
    """It listens on its data port or is connected; one that does not is alive and useless (facts 4)."""
    node: str = ""
    disk_free: int | None = None
    """Bytes."""


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
    restarting: tuple[str, ...] = ()
    """Names of ECC servers and data routers that are just being restarted."""
    setting_aside: bool = False
    """Stray files are being moved out of the staging directories."""
    min_free: int = 0
    """Bytes that must be free on every disk that data go to; 0: no limit."""
    reconfigure_mutant: bool = False
    """Breakup and Configure of the MuTAnT before each Start, so that its counters begin anew."""

    def server(self, name: str) -> ServerFacts | None:
        return next((server for server in self.servers if server.name == name), None)

    def only(self, names: Collection[str]) -> "SystemFacts":
        """The same with no other servers than these, no other servers' routers, and no word of their restarts."""
        routers = tuple(router for router in self.routers if router.server in names)
        parts = {*names, *(router.name for router in routers)}
        return replace(
            self,
            servers=tuple(server for server in self.servers if server.name in names),
            routers=routers,
            restarting=tuple(name for name in self.restarting if name in parts),
        )

    def included(self) -> "SystemFacts":
        """The same without the excluded servers and their routers."""
        return self.only({server.name for server in self.servers if not server.excluded})
