"""Beam time: what a whole experiment, or some days of it, add up to."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts import beam_time as beam_times
from attpcdaq.shifts.reckoning import Reckoned, beam_time_of
from attpcdaq.web.beam_time_days import day_rows
from attpcdaq.web.roles import may_operate
from attpcdaq.web.run_found import chosen_experiment
from attpcdaq.web.shift_gaps import gap_lines, gaps_of

GAPS_SHOWN = {False: 20, True: 50}
"""By whether it is one day."""
ONE = timedelta(days=1)


class DaysForm(forms.Form):
    """Which days; empty: all of them."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", f"It must not be before {since}.")
        return cleaned


@require_GET
def beam_time(request: HttpRequest) -> HttpResponse:
    """Running, lost by cause, not watched: altogether and by day, and the times that nobody explained; a day's all."""
    experiment, form, now = chosen_experiment(request), DaysForm(request.GET), timezone.now()
    days = form.cleaned_data if form.is_valid() else {}
    context: dict[str, Any] = {
        "experiment": experiment,
        "experiments": Experiment.objects.all(),
        "form": form,
        "may_operate": may_operate(request.user),
    }
    if experiment is not None:
        asked = Asked(experiment, days.get("since"), days.get("until"))
        made = beam_times.of_experiment(experiment, now, asked.since, asked.until)
        context |= _counted(asked, made, request.GET.get("page")) | _neighbours(asked, now)
    return render(request, "shifts/beam_time.html", context, status=200 if form.is_valid() else 400)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days of which experiment the address asks for."""

    experiment: Experiment
    since: date | None = None
    until: date | None = None

    def query(self, **more: object) -> str:
        """The address's query for the same, or for some of it otherwise; what is empty is left out."""
        asked = {"experiment": self.experiment.name, "since": self.since, "until": self.until} | more
        return urlencode({name: value for name, value in asked.items() if value})


def _counted(asked: Asked, made: Reckoned, page: str | None) -> dict[str, Any]:
    """Of one day all times without a run in their order, else those that nobody explained, the longest first."""
    gaps, is_day = gaps_of(made), len(made.days) == 1
    if not is_day:
        gaps = sorted((gap for gap in gaps if gap.named is None), key=lambda gap: gap.begin - gap.end)
    shown = Paginator(gaps, GAPS_SHOWN[is_day]).get_page(page)
    number = shown.number if shown.number > 1 else ""
    return {
        "made": made,
        "sums": made.sums,
        "is_day": is_day,
        "days": day_rows(made, asked.experiment),
        "page": shown,
        "gaps": gap_lines(made, list(shown.object_list)),
        "back": asked.query(page=number),
        "previous": asked.query(page=shown.previous_page_number()) if shown.has_previous() else "",
        "next": asked.query(page=shown.next_page_number()) if shown.has_next() else "",
    }


def _neighbours(asked: Asked, now: datetime) -> dict[str, str]:
    """From a day to the days beside it, where they belong to the beam time, and to all of them."""
    day = asked.since
    if day is None or day != asked.until:
        return {}
    within = beam_time_of(asked.experiment, now)
    first, last = (localtime(moment).date() for moment in (within.begin, within.end))
    before = min(day, last + ONE) - ONE if day > first else None
    after = max(day, first - ONE) + ONE if day < last else None
    return {
        "day_before": asked.query(since=before, until=before) if before else "",
        "day_after": asked.query(since=after, until=after) if after else "",
        "all_days": asked.query(since="", until=""),
    }
