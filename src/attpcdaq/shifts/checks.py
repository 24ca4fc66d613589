"""The checklist of a shift: read what is judged, and keep what was looked at, by whom and when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, FloatField, Sum

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.models import Event, RouterSample, Severity
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.system_checks import judge
from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.runlog.models import Manifest, Run, RunState
from attpcdaq.runlog.sheets import missing_of
from attpcdaq.shifts.checklist import BY_HAND, Item, LastRun, Seen, judged
from attpcdaq.shifts.models import Shift

TOPIC = "shift"
RUNS_LOOKED_AT = 100
HAND_KEYS = frozenset(each.key for each in BY_HAND)


def items_now(status: Snapshot | None = None) -> tuple[Item, ...]:
    """What the DAQ can tell of each automatic item at this moment."""
    return judged(_seen(status or snapshot()))


def _seen(status: Snapshot) -> Seen:
    runs = list(
        Run.objects.filter(experiment__is_active=True, state__in=(RunState.CLOSING, RunState.CLOSED))
        .select_related("experiment")
        .order_by("-number")[:RUNS_LOOKED_AT]
    )
    without = missing_of(runs)
    bad = (Manifest.Verdict.INCOMPLETE, Manifest.Verdict.NOT_PROVEN)
    unproven = Manifest.objects.filter(run__in=[run.pk for run in runs], verdict__in=bad)
    wrong = Event.objects.filter(acknowledged_at=None, severity__in=(Severity.WARNING, Severity.ERROR))
    return Seen(
        status=status,
        checks=judge(HEALTH.seen()),
        last=_last_run(runs),
        incomplete_sheets=sorted(run.number for run in runs if without[run.pk]),
        unproven_runs=sorted(unproven.values_list("run__number", flat=True)),
        unacknowledged=wrong.exclude(text="").count(),
    )


def _last_run(runs: list[Run]) -> LastRun | None:
    run = next((run for run in runs if run.started_at is not None), None)
    if run is None:
        return None
    configs = {name: str(was.get("config", "")) for name, was in run.configuration.items() if isinstance(was, dict)}
    return LastRun(run.number, configs, _event_rate(run))


def _event_rate(run: Run) -> float | None:
    """Of the board that saw most: events per second, averaged over what was seen of the run."""
    events = Sum(F("event_rate") * F("seconds"), output_field=FloatField())
    rates = (
        RouterSample.objects.filter(run_id=run.pk)
        .order_by()
        .values("router")
        .annotate(mean=events / Sum("seconds", output_field=FloatField()))
        .values_list("mean", flat=True)
    )
    return max((rate for rate in rates if rate is not None), default=None)


@transaction.atomic
def tick(shift_id: int, ticks: Mapping[str, bool], by: Requester, now: datetime, items: tuple[Item, ...] = ()) -> Shift:
    """Keep which items people ticked (key -> done), and how `items` were at this moment. BadCommand, CommandRefused.

    Items that are not named stay as they are: two people may go through the list at once.
    """
    unknown = sorted(ticks.keys() - HAND_KEYS)
    if unknown:
        allowed = ", ".join(each.key for each in BY_HAND)
        raise BadCommand("ticks", f"{unknown[0][:40]!r} is none of {allowed}.")
    shift = Shift.objects.select_for_update().filter(pk=shift_id).first()
    if shift is None or shift.ended_at is not None:
        raise CommandRefused(("That shift has ended: its checklist stays as it was.",))
    checks, changed = _merged(shift.checks, ticks, by, now)
    checks |= {f"auto-{item.key}": _kept(item, now) for item in items}
    Shift.objects.filter(pk=shift.pk).update(checks=checks)
    said = ", ".join(f"{key}: {'done' if ticks[key] else 'taken back'}" for key in changed) or "looked at"
    add_event(TOPIC, at=now)
    record(by, "checklist", Outcome.DONE, subject=shift.crew, text=said, at=now)
    shift.checks = checks
    return shift


def _merged(
    checks: dict[str, Any], ticks: Mapping[str, bool], by: Requester, now: datetime
) -> tuple[dict[str, Any], list[str]]:
    """The checks with these ticks, and which of them are news: who ticked an item first stays named."""
    changed = [key for key, done in ticks.items() if bool(checks.get(key, {}).get("ok")) != done]
    new = {key: {"ok": ticks[key], "text": "", "by": by.name, "at": now.isoformat()} for key in changed}
    return checks | new, changed


def _kept(item: Item, now: datetime) -> dict[str, Any]:
    return {"ok": item.level == "ok", "level": item.level, "text": f"{item.label}: {item.text}", "at": now.isoformat()}
