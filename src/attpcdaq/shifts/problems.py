"""What is not in order and somebody has to know of: troubles, exclusions, events, incomplete runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from attpcdaq.live.models import Event, Severity
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.system_checks import judge
from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.runlog.manifests import with_verdicts
from attpcdaq.runlog.models import Manifest, Run
from attpcdaq.runlog.sheets import missing_of

MOST = 5
OWN = "shifts#open-problems"
UNPROVEN = (Manifest.Verdict.INCOMPLETE, Manifest.Verdict.NOT_PROVEN)


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of what is open: bad or warn, the words, where the manual tells more ("page#anchor" or an anchor)."""

    level: str
    text: str
    anchor: str = OWN

    def stored(self) -> dict[str, str]:
        return {"level": self.level, "text": self.text, "anchor": self.anchor}


def problems_now(now: datetime, *, since: datetime, status: Snapshot | None = None) -> tuple[Problem, ...]:
    """What is open at `now`, the worst first; of runs and events those since `since`."""
    found = [*_of_status(status or snapshot(now)), *_of_the_daq(), *_of_events(since), *_of_runs(since, now)]
    return tuple(sorted(found, key=lambda problem: problem.level != "bad"))


def _of_status(status: Snapshot) -> Iterator[Problem]:
    """What the status page says; who is excluded is said of each once."""
    if status.overall.level == "bad":
        for reason in status.overall.reasons or (status.overall.title,):
            trouble = trouble_of(reason)
            if trouble is None or trouble.key != "excluded":
                yield Problem("bad", reason, trouble.anchor if trouble else OWN)
    for server in status.ecc_servers:
        if out := server.excluded:
            yield Problem("warn", f"{server.name} is excluded since {_day(out.at)} by {out.by}: {out.reason}")
        for drift in server.drifts:
            yield Problem("warn", f"{server.name}: {drift}")
    for router in status.routers:
        for warning in router.warnings:
            yield Problem("warn", f"{router.name}: {warning.title}", warning.anchor)


def _of_the_daq() -> Iterator[Problem]:
    for check in judge(HEALTH.seen()):
        if check.level != "ok":
            yield Problem("bad" if check.hinders else "warn", f"The DAQ's {check.name}: {check.text}", check.anchor)


def _of_events(since: datetime) -> Iterator[Problem]:
    """Warnings and errors that nobody has acknowledged, the latest of them in words."""
    wrong = Event.objects.filter(
        acknowledged_at=None, severity__in=(Severity.WARNING, Severity.ERROR), at__gte=since
    ).exclude(text="")
    found = list(wrong[: MOST + 1])
    for event in found[:MOST]:
        # Never "bad": it was so then, and what is bad now must not drown in it.
        yield Problem("warn", f"Not acknowledged, {_day(event.at)}: {_said(event)}")
    if len(found) > MOST:
        yield Problem("warn", f"And {wrong.count() - MOST} more warnings and errors that nobody has acknowledged")


def _said(event: Event) -> str:
    return event.text if event.text.startswith(event.subject) else f"{event.subject} {event.text}"


def _of_runs(since: datetime, now: datetime) -> Iterator[Problem]:
    """Runs of that time whose data or sheets are not complete."""
    lately = Q(requested_at__gte=since) | Q(stopped_at__gte=since)
    runs = list(with_verdicts(Run.objects.filter(lately, requested_at__lte=now).select_related("experiment")))
    without = missing_of(runs)
    for run in reversed(runs):
        manifest = getattr(run, "manifest", None)
        if manifest is not None and manifest.verdict in UNPROVEN:
            said = Manifest.Verdict(manifest.verdict).label.lower()
            yield Problem("bad", f"Run {run.number}: its data are {said}", "shifts#incomplete-runs")
        if without[run.pk]:
            text = f"Run {run.number}: its sheet lacks {', '.join(without[run.pk])}"
            yield Problem("warn", text, "shifts#incomplete-runs")


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-d %b %H:%M}"
