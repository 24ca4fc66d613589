"""What the crew must see first: what is wrong, what it means, and the one thing to press next."""

from dataclasses import dataclass

from attpcdaq.runcontrol.views import CommandView, EccView, RouterView, Snapshot, TroubleView

AT_WORK = ("queued", "running")
ENDED_BADLY = ("failed", "expired")


@dataclass(frozen=True, slots=True)
class Advice:
    """The action whose button is to be pressed and what stands on it (empty: none), and why or what else to do."""

    action: str = ""
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TroubleGroup:
    """One kind of trouble and everything that has it."""

    trouble: TroubleView
    servers: tuple[EccView, ...]
    routers: tuple[RouterView, ...]

    @property
    def names(self) -> list[str]:
        return [part.name for part in (*self.servers, *self.routers)]

    @property
    def alone(self) -> EccView | RouterView | None:
        """The only one that has it: its buttons can stand beside the text."""
        parts = (*self.servers, *self.routers)
        return parts[0] if len(parts) == 1 else None

    @property
    def kind(self) -> str:
        return "ecc" if self.servers else "router"

    @property
    def menu(self) -> str:
        """The address of its controls, by name."""
        return "server-menu" if self.servers else "router-menu"

    @property
    def wants_restart(self) -> bool:
        """Whether it looks like what a restart cures, and the viewer may restart it."""
        part = self.alone
        if part is None or not part.restart.allowed:
            return False
        if isinstance(part, EccView):
            return bool(part.still_busy) or part.state in ("wedged", "unknown")
        return part.online is False


def troubles(status: Snapshot) -> list[TroubleGroup]:
    """Every kind of trouble once; what is excluded troubles nobody."""
    servers = [server for server in status.ecc_servers if server.trouble and not server.excluded]
    routers = [router for router in status.routers if router.trouble and not router.excluded]
    kinds = {part.trouble.key: part.trouble for part in (*servers, *routers) if part.trouble}
    return [
        TroubleGroup(
            trouble,
            tuple(server for server in servers if server.trouble and server.trouble.key == key),
            tuple(router for router in routers if router.trouble and router.trouble.key == key),
        )
        for key, trouble in kinds.items()
    ]


def failed_command(status: Snapshot) -> CommandView | None:
    """The latest command where it ended badly and that still matters: it can be retried, or something is wrong."""
    command = status.command
    if command is None or command.state not in ENDED_BADLY:
        return None
    return command if command.retry.allowed or status.overall.level == "bad" else None


def advice(status: Snapshot) -> Advice:
    """What to press next; nothing while something is under way, or all is well."""
    failed, wrong = failed_command(status), troubles(status)
    if status.loose and status.loose.adopt.allowed:
        return Advice("adopt", "Adopt as run", "or Stop them.")
    if status.command is not None and status.command.state in AT_WORK:
        return Advice()
    if failed is not None and failed.retry.allowed:
        return Advice("retry", "Retry", f"to go on with what is left of {failed.label}.")
    if wrong:
        return Advice(text=wrong[0].trouble.todo)
    return Advice() if status.run else _onwards(status)


def _onwards(status: Snapshot) -> Advice:
    if status.overall.level == "ok" and status.actions["start"].allowed:
        return Advice("start", "Start run")
    if status.actions["go_ready"].allowed:
        return Advice("go_ready", "Go to Ready")
    return Advice()
