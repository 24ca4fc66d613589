"""What the crew must see first: what is wrong, what it means, and the one thing to press next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from attpcdaq.runcontrol.seeing.views import CommandView, EccView, RouterView, Snapshot, TroubleView
from attpcdaq.runcontrol.troubles.troubles import trouble_of

AT_WORK = ("queued", "running")
ENDED_BADLY = ("failed", "expired")
# These stand on the page in their own way.
SHOWN_OTHERWISE = ("loose", "excluded", "under-way", "run-open")
TAKEN_WITHIN = timedelta(seconds=3)
NEXT_NUMBER = "to start the same run again, under the next number."
WAIT = "Wait: no worker is at work on it. It goes on when one is, or expires within 15 s. Stop works all the same."
Part = EccView | RouterView
in_words = lru_cache(maxsize=512)(trouble_of)


@dataclass(frozen=True, slots=True)
class Advice:
    """The action whose button is to be pressed and what stands on it (empty: none), and why or what else to do."""

    action: str = ""
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble and everything that has it."""

    view: TroubleView
    parts: tuple[Part, ...]

    @property
    def names(self) -> list[str]:
        return [part.name for part in self.parts]

    @property
    def alone(self) -> Part | None:
        """The only one that has it: its buttons can stand beside the text."""
        return self.parts[0] if len(self.parts) == 1 else None

    @property
    def kind(self) -> str:
        return "ecc" if isinstance(self.alone, EccView) else "router"

    @property
    def menu(self) -> str:
        """The address of its controls, by name."""
        return "server-menu" if isinstance(self.alone, EccView) else "router-menu"

    @property
    def hinders(self) -> bool:
        """Whether one that has it cannot even be asked: retrying would lead to the same."""
        return any(isinstance(part, EccView) and part.problem for part in self.parts)

    @property
    def wants_restart(self) -> bool:
        """Whether it looks like what a restart cures, and the viewer may restart it."""
        part = self.alone
        if part is None or not part.restart.allowed:
            return False
        if isinstance(part, EccView):
            return bool(part.still_busy or part.problem) or part.state in ("wedged", "unknown")
        return part.online is False or part.hears is False


@dataclass(frozen=True, slots=True)
class Attention:
    """What is wrong, and what to do about it."""

    advice: Advice
    failed: CommandView | None
    troubles: tuple[Trouble, ...]


def attention(status: Snapshot) -> Attention:
    """Everything of the status that somebody must look at."""
    failed = failed_command(status)
    wrong = troubles(status, failed)
    return Attention(_advice(status, failed, wrong), failed, wrong)


def failed_command(status: Snapshot) -> CommandView | None:
    """The latest command where it ended badly and that still matters: it can be retried, or something is wrong."""
    command = status.command
    if command is None or command.state not in ENDED_BADLY:
        return None
    return command if command.retry.allowed or status.overall.level == "bad" else None


def troubles(status: Snapshot, failed: CommandView | None) -> tuple[Trouble, ...]:
    """Every kind of trouble once: of the parts, then of what the overall state and the failed command say."""
    found: dict[str, tuple[TroubleView, dict[str, Part]]] = {}
    everything: tuple[Part, ...] = status.ecc_servers + status.routers
    # With the monitor away nothing is known of the parts, and that is one trouble.
    known = {part.name: part for part in everything if status.monitor_alive and not part.excluded}
    for part in known.values():
        for one in _troubles_of(part):
            before, parts = found.get(one.key, (one, {}))
            found[one.key] = (one if one.level == "bad" else before, parts | {part.name: part})
    # A mere warning does not tell what else is wrong with a part.
    had = {part.name for part in known.values() if part.trouble}
    for text in _texts(status, failed):
        view, name = in_words(text), text.partition(": ")[0]
        if view is None or view.key in SHOWN_OTHERWISE or name in had:
            continue
        parts = found.setdefault(view.key, (view, {}))[1]
        if name in known:
            parts[name] = known[name]
    ordered = sorted(found.values(), key=lambda one: one[0].level != "bad")
    return tuple(Trouble(view, tuple(parts.values())) for view, parts in ordered)


def _troubles_of(part: Part) -> list[TroubleView]:
    found = [part.trouble] if part.trouble else []
    return found + list(part.warnings) if isinstance(part, RouterView) else found


def _texts(status: Snapshot, failed: CommandView | None) -> Iterable[str]:
    if status.overall.level == "bad":
        yield from status.overall.reasons or (status.overall.title,)
    if failed is not None and failed.message:
        yield failed.message


def _advice(status: Snapshot, failed: CommandView | None, wrong: tuple[Trouble, ...]) -> Advice:
    """Nothing while something is under way, or all is well."""
    if status.loose and status.loose.adopt.allowed:
        return Advice("adopt", "Adopt as run", "or Stop them.")
    if status.command is not None and status.command.state in AT_WORK:
        return Advice(text=WAIT) if _nobody_takes(status.command, status.at) else Advice()
    if failed is not None and failed.retry.allowed and not any(trouble.hinders for trouble in wrong):
        again = failed.action == "start" and failed.targets is None
        return Advice("retry", "Retry", NEXT_NUMBER if again else f"to go on with what is left of {failed.label}.")
    bad = [trouble for trouble in wrong if trouble.view.level == "bad"]
    if bad:
        first = next((trouble for trouble in bad if trouble.hinders), bad[0])
        return Advice(text=f"{first.view.todo.split('. ')[0].removesuffix('.')}.")
    if status.run is None:
        return _onwards(status)
    return Advice("stop", "Stop run", "if this cannot be mended.") if status.overall.level == "bad" else Advice()


def _nobody_takes(command: CommandView, now: datetime) -> bool:
    return command.state == "queued" and now - command.requested_at > TAKEN_WITHIN


def _onwards(status: Snapshot) -> Advice:
    if status.overall.level == "ok" and status.actions["start"].allowed:
        return Advice("start", "Start run")
    if status.actions["go_ready"].allowed:
        return Advice("go_ready", "Go to Ready")
    return Advice()
