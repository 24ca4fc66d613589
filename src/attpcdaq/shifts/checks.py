"""The checklist of a shift: read what is judged, and keep what was looked at, by whom and when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, FloatField, QuerySet, Sum
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.events import count_open
from attpcdaq.live.models import RouterSample
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.seeing.disks import disk_views
from attpcdaq.runcontrol.seeing.gather import Rows, read_rows, system_facts
from attpcdaq.runcontrol.seeing.snapshot import run_view
from attpcdaq.runcontrol.seeing.snapshot_ecc import ecc_view
from attpcdaq.runcontrol.seeing.snapshot_router import node_views, router_view
from attpcdaq.runcontrol.seeing.system_checks import judge
from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.runlog.models import Experiment, Manifest, Run, RunState
from attpcdaq.runlog.sheets import missing_of
from attpcdaq.shifts.checklist import BY_HAND, Item, LastRun, Seen, Status, judged
from attpcdaq.shifts.models import Shift

TOPIC = "shift"
RUNS_LOOKED_AT = 100
ENDED = (RunState.CLOSING, RunState.CLOSED)
HAND_KEYS = frozenset(each.key for each in BY_HAND)


def items_now() -> tuple[Item, ...]:
    """What the DAQ can tell of each automatic item at this moment."""
    return judged(_seen(read_rows(timezone.now())))


def _seen(rows: Rows) -> Seen:
    runs = list(_ended(rows.experiment)[:RUNS_LOOKED_AT])
    without = missing_of(runs)
    return Seen(
        status=_status(rows),
        checks=judge(HEALTH.seen()),
        last=_last_run(runs),
        incomplete_sheets=sorted(run.number for run in runs if without[run.pk]),
        unproven_runs=_unproven(rows.experiment, runs),
        unacknowledged=count_open(),
    )


def _status(rows: Rows) -> Status:
    """Of the same rows as the status page, without what only that page needs."""
    facts, disks = system_facts(rows), disk_views(rows)
    return Status(
        experiment=rows.experiment.name if rows.experiment else None,
        next_run_number=rows.experiment.last_run_number + 1 if rows.experiment else None,
        run=run_view(rows.run) if rows.run else None,
        ecc_servers=[ecc_view(server, rows, facts) for server in rows.servers],
        routers=[router_view(router, rows, disks.get(router.pk)) for router in rows.routers],
        nodes=node_views(rows),
    )


def _ended(experiment: Experiment | None) -> QuerySet[Run]:
    """The last first; only what is looked at of all of them."""
    rows = Run.objects.filter(experiment=experiment, state__in=ENDED).order_by("-number")
    return rows.only("experiment_id", "number", "state", "started_at", "closed_at")


def _unproven(experiment: Experiment | None, runs: list[Run]) -> list[int]:
    """Numbers of those of the runs whose data are not all there, or not proven."""
    first = min((run.number for run in runs), default=0)
    same = Manifest.objects.filter(run__experiment=experiment, run__state__in=ENDED, run__number__gte=first)
    bad = (Manifest.Verdict.INCOMPLETE, Manifest.Verdict.NOT_PROVEN)
    return sorted(same.filter(verdict__in=bad).values_list("run__number", flat=True))


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
