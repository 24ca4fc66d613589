"""The latest of each ECC server's steps, out of the hundred thousands of a season: by index, never by counting."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from attpcdaq.live.prepared import Prepared
from attpcdaq.runcontrol.models import Step, StepState
from attpcdaq.runcontrol.planning.stages import FORWARD
from attpcdaq.topology.models import ECCServer

LOOKED_AT = timedelta(hours=24)
TOLD = (StepState.SENT, StepState.CONFIRMED, StepState.FAILED, StepState.EXPIRED)


@dataclass(frozen=True, slots=True)
class LatestSteps:
    """`told`: server name -> its latest step of the last day that was more than planned; `before`: the one before it.

    `loaded`: (server name, transition) -> its latest Describe, Prepare and Configure that were sent. Whether one took
    effect, the state says: a call that was given up may have reached it later.
    """

    told: dict[str, Step]
    before: dict[str, Step]
    loaded: dict[tuple[str, int], Step]

    def failed_twice(self, server_name: str) -> Step | None:
        """The latest step of a server where it failed on the way up, and so did the same one just before it."""
        last = self.told.get(server_name)
        if last is None or last.state != StepState.FAILED or last.transition not in FORWARD:
            return None
        before = self.before.get(server_name)
        again = before is not None and (before.transition, before.state) == (last.transition, last.state)
        return last if again else None


def latest_steps(now: datetime) -> LatestSteps:
    """Read them, in two questions."""
    found = _IDS.rows()
    steps = Step.objects.select_related("command").in_bulk({pk for row in found for pk in row if pk is not None})
    last, before = ([steps[row[column]] for row in found if row[column] in steps] for column in (0, 1))
    loaded = [steps[pk] for row in found for pk in row[2:] if pk in steps]
    return LatestSteps(
        {step.server_name: step for step in last if step.command.requested_at >= now - LOOKED_AT},
        {step.server_name: step for step in before},
        {(step.server_name, step.transition): step for step in loaded},
    )


def _ids() -> QuerySet[ECCServer, tuple[Any, ...]]:
    """Of each server the ids of its latest step, of the one before it, and of the latest of each way up."""
    sent = Step.objects.filter(sent_at__isnull=False)
    newest = {f"newest_{transition:d}": _newest(sent.filter(transition=transition)) for transition in FORWARD}
    told = Step.objects.filter(state__in=TOLD)
    asked = ECCServer.objects.order_by().annotate(told=_newest(told), before=_newest(told, after=1), **newest)
    return asked.values_list("told", "before", *newest)


_IDS = Prepared(_ids)


def _newest(steps: QuerySet[Step], after: int = 0) -> Subquery:
    """The id of the newest of a server's steps, after so many newer ones."""
    of_server = steps.filter(server_name=OuterRef("name")).order_by("-id")
    return Subquery(of_server.values("id")[after : after + 1])
