"""Beam time: what a whole experiment, or some days of it, add up to."""

from bisect import bisect_left
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts import beam_time as beam_times
from attpcdaq.shifts.reckoning import Day, Reckoned
from attpcdaq.shifts.spans import Interval
from attpcdaq.web.roles import may_operate
from attpcdaq.web.run_found import chosen_experiment
from attpcdaq.web.shift_gaps import CAUSES, gap_lines, gaps_of
from attpcdaq.web.shift_strip import strip

GAPS_SHOWN = 20


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
    """Running, lost by cause, not watched: altogether, by day, and the longest times that nobody explained."""
    experiment, form, now = chosen_experiment(request), DaysForm(request.GET), timezone.now()
    days = form.cleaned_data if form.is_valid() else {}
    context: dict[str, Any] = {
        "experiment": experiment,
        "experiments": Experiment.objects.all(),
        "form": form,
        "now": now,
        "causes": CAUSES,
        "may_operate": may_operate(request.user),
    }
    if experiment is not None:
        context |= _counted(beam_times.of_experiment(experiment, now, days.get("since"), days.get("until")))
    return render(request, "shifts/beam_time.html", context, status=200 if form.is_valid() else 400)


def _counted(made: Reckoned) -> dict[str, Any]:
    unnamed = sorted((gap for gap in gaps_of(made) if gap.named is None), key=lambda gap: gap.begin - gap.end)
    return {
        "made": made,
        "sums": made.sums,
        "days": _drawn(made),
        "gaps": gap_lines(made, unnamed[:GAPS_SHOWN]),
        "more_gaps": max(len(unnamed) - GAPS_SHOWN, 0),
    }


def _drawn(made: Reckoned) -> list[tuple[Day, SafeString]]:
    """Each day with its own stretches: all are cut at midnight."""
    begins = [one.begin for one in made.segments]
    found = []
    for day in made.days:
        first, last = bisect_left(begins, day.begin), bisect_left(begins, day.end)
        found.append((day, strip(Interval(day.begin, day.end), made.segments[first:last])))
    return found
