"""How long transitions took, summed up from the steps; what has ended is summed up once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Min, Q, Sum

from attpcdaq.runcontrol.models import Step, StepState
from get_protocol.state_machine import Transition

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
# Ids are given out before the commits: so many of the newest steps are summed up again each time.
OVERLAP = 500
UNSETTLED = (StepState.WAITING, StepState.SENT)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Spread:
    """How many took at most each of BOUNDS, how many there were, and their seconds together."""

    within: tuple[int, ...]
    count: int
    seconds: float

    def plus(self, other: "Spread") -> "Spread":
        within = tuple(a + b for a, b in zip(self.within, other.within, strict=True))
        return Spread(within, self.count + other.count, self.seconds + other.seconds)


class StepDurations:
    """Sums of everything up to `settled`, kept; what is newer is asked for each time."""

    def __init__(self, overlap: int = OVERLAP) -> None:
        self._overlap = overlap
        # Read and replaced as one: several threads may ask at the same time.
        self._sums: tuple[int, dict[Key, Spread]] = (0, {})

    def now(self) -> dict[Key, Spread]:
        """By transition and outcome (confirmed, failed, ...)."""
        before, kept = self._sums
        newest = Step.objects.aggregate(Max("pk"))["pk__max"] or 0
        going = Step.objects.filter(pk__gt=before, state__in=UNSETTLED).aggregate(Min("pk"))["pk__min"]
        settled = max(min(newest - self._overlap, (going or newest + 1) - 1), before)
        if settled > before:
            kept = added(kept, spreads(before, settled))
            self._sums = (settled, kept)
        return added(kept, spreads(settled, newest))


def added(one: Mapping[Key, Spread], other: Mapping[Key, Spread]) -> dict[Key, Spread]:
    """Both together."""
    return {**one, **{key: spread.plus(one[key]) if key in one else spread for key, spread in other.items()}}


def spreads(after: int, until: int) -> dict[Key, Spread]:
    """Of the steps that ended with ids in (after, until], in one query."""
    took = ExpressionWrapper(F("finished_at") - F("sent_at"), output_field=DurationField())
    within: dict[str, Any] = {
        f"within{place}": Count("pk", filter=Q(took__lte=timedelta(seconds=bound)))
        for place, bound in enumerate(BOUNDS)
    }
    # One that ended before it was sent tells that a clock was set back, not how long it took.
    ended = Step.objects.filter(pk__gt=after, pk__lte=until, finished_at__gte=F("sent_at"))
    rows = (
        ended.exclude(state__in=UNSETTLED)
        .annotate(took=took)
        .order_by()
        .values("transition", "state")
        .annotate(count=Count("pk"), seconds=Sum("took"), **within)
    )
    return {(_name(row["transition"]), row["state"]): _spread(row) for row in rows}


def _name(number: int) -> str:
    return Transition(number).name.lower()


def _spread(row: Mapping[str, Any]) -> Spread:
    within = tuple(row[f"within{place}"] for place in range(len(BOUNDS)))
    return Spread(within, row["count"], row["seconds"].total_seconds())
