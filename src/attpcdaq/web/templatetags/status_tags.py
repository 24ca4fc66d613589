"""What the status page makes of the status."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django import template

from attpcdaq.runcontrol.models import Action
from attpcdaq.runcontrol.seeing.views import ActionView, CommandView, EccView, Snapshot, StepView
from attpcdaq.web.attention import ENDED_BADLY
from attpcdaq.web.figures import flow
from attpcdaq.web.figures import quiet as quiet_routers
from attpcdaq.web.waiting import Waiting
from attpcdaq.web.waiting import waiting as waiting_for

register = template.Library()
GOALS = ("go_ready", "go_idle")
# The five which do not end in a run; Start and Stop stand in the run panel.
STEPS = ("describe", "prepare", "configure", "breakup", "undo")
ONE_SERVER = (*GOALS, "describe", "prepare", "configure", "start", "stop", "breakup", "undo")
Button = tuple[str, str, ActionView]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a command: the servers by the state of their steps, and (servers, message, is it bad)."""

    transition: str
    states: list[tuple[str, list[str]]]
    messages: list[tuple[list[str], str, bool]]


@register.filter
def goals(status: Snapshot) -> list[Button]:
    """(action, label, view) of the ways to a state from wherever the boards are."""
    return _buttons(GOALS, status.actions)


@register.filter
def single_steps(status: Snapshot) -> list[Button]:
    """(action, label, view) of the operations which do not belong to a run."""
    return _buttons(STEPS, status.actions)


@register.filter
def server_actions(ecc: EccView) -> list[Button]:
    """(action, label, view) of everything that can be done to one server alone."""
    return _buttons(ONE_SERVER, ecc.actions)


@register.filter
def goals_refusal(status: Snapshot) -> ActionView | None:
    """The refusal of both goals when it is the same, to be said once."""
    return _shared(GOALS, status.actions)


@register.filter
def steps_refusal(status: Snapshot) -> ActionView | None:
    """The refusal of all single steps when it is the same, to be said once."""
    return _shared(STEPS, status.actions)


def _buttons(actions: Iterable[str], views: Mapping[str, ActionView]) -> list[Button]:
    return [(action, Action(action).label, views[action]) for action in actions if action in views]


def _shared(actions: Iterable[str], views: Mapping[str, ActionView]) -> ActionView | None:
    found = [views[action] for action in actions]
    same = all(not view.allowed and view.reasons == found[0].reasons for view in found)
    return found[0] if same else None


@register.filter
def menu_refusal(ecc: EccView) -> ActionView | None:
    """The refusal of everything but Stop when it is the same (or the server is excluded), to be said once."""
    others = [action for action in ONE_SERVER if action != "stop"]
    return ecc.actions["go_ready"] if ecc.excluded else _shared(others, ecc.actions)


@register.filter
def way(view: ActionView) -> str:
    """The calls that lead one server there, where it takes several: "Undo, Undo, Describe"."""
    return ", ".join(stage.transition for stage in view.stages) if len(view.stages) > 1 else ""


@register.filter
def about(said: Iterable[str], name: str) -> str:
    """Reasons in one text, without the name of the one that all of it is about."""
    return " ".join(reason.removeprefix(f"{name}: ") for reason in said)


@register.filter
def excluded_servers(status: Snapshot) -> list[EccView]:
    """The servers that the system goes on without."""
    return [server for server in status.ecc_servers if server.excluded]


@register.filter
def waiting(status: Snapshot) -> Waiting | None:
    """What the whole system waits for just now."""
    return waiting_for(status)


@register.filter
def stop_confirm(status: Snapshot) -> str:
    """What is asked before Stop: only where beam time would be lost by a slip of the hand."""
    run, view = status.run, status.actions.get("stop")
    if run is None or run.run_class != "production" or run.state != "running":
        return view.confirm if view else ""
    return f"Run {run.number} is a production run and takes data. Stop it?"


@register.filter
def every(status: Snapshot) -> int:
    """After how many seconds a page looks again although nothing happened: sooner while something is not as it should.

    In a run that goes well the beat brings what moves.
    """
    at_work = status.command is not None and status.command.finished_at is None
    return 3 if at_work or status.overall.level in ("bad", "busy") else 10


@register.filter
def quiet(status: Snapshot) -> str:
    """The ids of the routers that write nothing although a run takes data, as the scripts compare them."""
    return ",".join(map(str, quiet_routers(status)))


@register.filter
def data_flow(status: Snapshot) -> str:
    """What all included data routers write together: "11 of 11 data routers write 12.3 MB/s, event 4242"."""
    return flow(status.routers).words


@register.filter
def stages(command: CommandView) -> list[Stage]:
    """The stages of a command, in their order."""
    by_stage: dict[int, list[StepView]] = {}
    for step in command.steps:
        by_stage.setdefault(step.stage, []).append(step)
    return [_stage(command, steps) for _, steps in sorted(by_stage.items())]


def _stage(command: CommandView, steps: list[StepView]) -> Stage:
    said: dict[tuple[str, bool], list[str]] = {}
    states: dict[str, list[str]] = {}
    for step in steps:
        states.setdefault(step.state, []).append(step.server)
        if step.message and step.message not in command.message:
            said.setdefault((step.message, step.state in ENDED_BADLY), []).append(step.server)
    messages = [(names, message, bad) for (message, bad), names in said.items()]
    return Stage(steps[0].transition, list(states.items()), messages)


@register.filter
def failures(command: CommandView) -> list[tuple[list[str], str]]:
    """(servers, message) of what failed or expired, where the command's own message does not say it."""
    said: dict[str, list[str]] = {}
    for step in command.steps:
        if step.state in ENDED_BADLY and step.message and step.message not in command.message:
            said.setdefault(step.message, []).append(step.server)
    return [(names, message) for message, names in said.items()]
