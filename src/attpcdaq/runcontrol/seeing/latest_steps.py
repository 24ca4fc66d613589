"""The latest of each ECC server's steps, out of the hundred thousands of a season: by index, never by counting."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery

from attpcdaq.runcontrol.models import Step, StepState
from attpcdaq.runcontrol.planning.stages import FORWARD
from attpcdaq.topology.models import ECCServer

LOOKED_AT = timedelta(hours=24)
TOLD = (StepState.SENT, StepState.CONFIRMED, StepState.FAILED, StepState.EXPIRED)


@dataclass(frozen=True, slots=True)
class LatestSteps:
    """`told`: server name -> its latest step of the last day that was more than planned.

    `loaded`: (server name, transition) -> its latest Describe, Prepare and Configure that were sent. Whether one took
    effect, the state says: a call that was given up may have reached it later.
    """

    told: dict[str, Step]
    loaded: dict[tuple[str, int], Step]

    def failed_twice(self, server_name: str) -> Step | None:
        """The latest step of a server where it failed on the way up, and so did the same one just before it."""
        last = self.told.get(server_name)
        if last is None or last.state != StepState.FAILED or last.transition not in FORWARD:
            return None
        before = Step.objects.filter(server_name=server_name, state__in=TOLD, pk__lt=last.pk).order_by("-id").first()
        again = before is not None and (before.transition, before.state) == (last.transition, last.state)
        return last if again else None


def latest_steps(now: datetime) -> LatestSteps:
    """Read them, in two questions."""
    sent = Step.objects.filter(sent_at__isnull=False)
    newest = {f"newest_{transition:d}": _newest(sent.filter(transition=transition)) for transition in FORWARD}
    asked = ECCServer.objects.order_by().annotate(newest=_newest(Step.objects.filter(state__in=TOLD)), **newest)
    found = list(asked.values_list("newest", *newest))
    steps = Step.objects.select_related("command").in_bulk({pk for row in found for pk in row if pk is not None})
    told = [steps[row[0]] for row in found if row[0] in steps]
    loaded = [steps[pk] for row in found for pk in row[1:] if pk in steps]
    return LatestSteps(
        {step.server_name: step for step in told if step.command.requested_at >= now - LOOKED_AT},
        {(step.server_name, step.transition): step for step in loaded},
    )


def _newest(steps: QuerySet[Step]) -> Subquery:
    return Subquery(steps.filter(server_name=OuterRef("name")).order_by("-id").values("id")[:1])
