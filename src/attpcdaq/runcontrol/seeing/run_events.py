"""What happened during a run, and what was said of it later."""

from datetime import datetime

from django.db.models import QuerySet

from attpcdaq.live.models import Event
from attpcdaq.runlog.models import Run

SHOWN = 20


def names_of(run: Run) -> tuple[str, str]:
    """What events call it: by its experiment's name now, and by the name at its first run."""
    return str(run), f"{run.experiment.data_directory} run {run.number}"


def in_its_time(run: Run, now: datetime) -> QuerySet[Event]:
    """Events with words from when it was asked for until it was closed."""
    return Event.objects.filter(at__gte=run.requested_at, at__lte=run.closed_at or now).exclude(text="")


def events_of(run: Run, now: datetime) -> tuple[list[Event], bool]:
    """The latest of a run, newest first, and whether there are more: those of its time, and those about it later."""
    seen = in_its_time(run, now)
    about = Event.objects.filter(subject__in=names_of(run), at__gt=run.closed_at or now).exclude(text="")
    # Asked for one after the other, for each has an index of its own.
    found = [*seen.order_by("-at", "-id")[: SHOWN + 1], *about.order_by("-id")[: SHOWN + 1]]
    found.sort(key=lambda event: (event.at, event.pk), reverse=True)
    return found[:SHOWN], len(found) > SHOWN
