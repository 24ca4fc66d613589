"""What a button shows: whether it may be used, the reasons why not, and what it will do."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from attpcdaq.live.labels import transition_label
from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runcontrol.planning.facts import SystemFacts
from attpcdaq.runcontrol.planning.limits import limit_of
from attpcdaq.runcontrol.planning.plan import ACTIONS, Plan, plan
from attpcdaq.runcontrol.seeing.views import ActionView, CommandView, StageView, StepView

ENDED_BADLY = (CommandState.FAILED, CommandState.EXPIRED)
Limits = Mapping[str, Mapping[str, float]]


def action_view(action: str, targets: Sequence[str] | None, facts: SystemFacts) -> ActionView:
    """What would become of `action` on `targets` (None: the whole system) just now."""
    outcome = plan(action, targets, facts)
    if not isinstance(outcome, Plan):
        return ActionView(allowed=False, reasons=outcome.reasons)
    stages = tuple(StageView(transition_label(s.transition), s.servers, s.why) for s in outcome.stages)
    return ActionView(allowed=True, confirm=outcome.confirm, stages=stages, digest=outcome.digest)


class ActionViews(Mapping[str, ActionView]):
    """The same for every action there is, worked out when somebody asks: few look at the controls of one server."""

    def __init__(self, targets: Sequence[str] | None, facts: SystemFacts) -> None:
        self._targets = targets
        self._facts = facts
        self._known: dict[str, ActionView] = {}

    def __getitem__(self, action: str) -> ActionView:
        if action not in ACTIONS:
            raise KeyError(action)
        if action not in self._known:
            self._known[action] = action_view(action, self._targets, self._facts)
        return self._known[action]

    def __iter__(self) -> Iterator[str]:
        return iter(ACTIONS)

    def __len__(self) -> int:
        return len(ACTIONS)


def command_view(command: Command, facts: SystemFacts | None = None, own_limits: Limits | None = None) -> CommandView:
    """A command and its steps, in their order; with `facts` also whether it may be tried again.

    `own_limits`: server name -> what its operations may take, in s, where it has limits of its own.
    """
    return CommandView(
        id=str(command.pk),
        action=command.action,
        label=command.get_action_display(),
        targets=None if command.targets is None else tuple(command.targets),
        state=command.state,
        message=command.message,
        requested_by=command.requested_by,
        request_id=command.request_id,
        requested_at=command.requested_at,
        finished_at=command.finished_at,
        run_number=command.run.number if command.run else None,
        steps=tuple(_step_view(step, (own_limits or {}).get(step.server_name, {})) for step in command.steps.all()),
        expires_at=command.expires_at if command.state == CommandState.QUEUED else None,
        retry=_retry(command, facts),
    )


def _step_view(step: Step, own_limits: Mapping[str, float]) -> StepView:
    until = None
    if step.state == StepState.SENT and step.sent_at is not None:
        until = step.sent_at + timedelta(seconds=limit_of(step.transition, own_limits))
    label = transition_label(step.transition)
    return StepView(step.stage, step.server_name, label, step.state, step.message, step.sent_at, until)


def _retry(command: Command, facts: SystemFacts | None) -> ActionView:
    """The same order once more: servers that are there by now have nothing to do."""
    if facts is None or command.state not in ENDED_BADLY:
        return ActionView(allowed=False)
    gone = [name for name in command.targets or () if facts.server(name) is None]
    if gone:
        return ActionView(allowed=False, reasons=(f"{', '.join(gone)} is not set up any more.",))
    return action_view(command.action, command.targets, facts)
