"""Which events a page is asked for: the same fields, in the address, as the API has."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms

from attpcdaq.live.events import NEWEST, Wanted
from attpcdaq.live.models import Severity
from attpcdaq.runlog.listing import NoSuchRunError, find_run
from attpcdaq.shifts.reckoning import midnight

TOPICS = {
    "ecc": "ECC servers",
    "router": "Data routers",
    "command": "Commands",
    "run": "Runs",
    "manifest": "Data of runs",
    "setup": "Setup",
    "control": "Who is in charge",
    "shift": "Shifts and notes",
}
SEVERITIES = [("", "all"), (Severity.WARNING.value, "warnings and errors"), (Severity.ERROR.value, "errors")]


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give a day as 2026-11-22."},
    )


class EventFilter(forms.Form):
    """Which events are shown."""

    text = forms.CharField(label="Text", max_length=100, required=False)
    severity = forms.ChoiceField(label="How bad", choices=SEVERITIES, required=False)
    topic = forms.ChoiceField(label="Of what", choices=[("", "everything"), *TOPICS.items()], required=False)
    subject = forms.CharField(
        label="About a server, router, ...",
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"list": "event-subjects"}),
    )
    run = forms.CharField(
        label="During run", max_length=80, required=False, widget=forms.TextInput(attrs={"placeholder": "e20009/12"})
    )
    since = _day("From")
    until = _day("To")
    is_open = forms.BooleanField(label="Only what nobody acknowledged", required=False)
    before = forms.IntegerField(min_value=1, max_value=NEWEST, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", f"It must not be before {since}.")
        return cleaned

    def clean_run(self) -> tuple[datetime, datetime | None] | None:
        """From when it was asked for until its files were moved."""
        if not self.cleaned_data["run"]:
            return None
        named = run_of(self.cleaned_data["run"])
        if named is None:
            raise forms.ValidationError("Give a run as EXPERIMENT/NUMBER: e20009/12.")
        try:
            run = find_run(*named)
        except NoSuchRunError as error:
            raise forms.ValidationError(str(error)) from None
        return run.requested_at, run.closed_at

    @property
    def asked(self) -> dict[str, str]:
        """What is asked for as it stands in the address; where in the list one is does not belong to it."""
        found = {name: str(self.data.get(name, "")).strip() for name in self.fields if name != "before"}
        return {name: value for name, value in found.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether more is asked for than what is left to do."""
        return bool(self.asked.keys() - {"is_open"})

    def query(self, **changed: str) -> str:
        """The address's query for the same list with some of it changed; an empty value leaves it out."""
        return urlencode({name: value for name, value in (self.asked | changed).items() if value})

    def wanted(self) -> Wanted:
        """What the fields mean, where they are right; days are those of where the detector stands."""
        asked: dict[str, Any] = self.cleaned_data
        begins, ends = asked["run"] or (None, None)
        since = [at for at in (begins, _begin_of(asked["since"])) if at]
        until = [at for at in (just_after(ends), _begin_of(asked["until"], days=1)) if at]
        return Wanted(
            text=asked["text"],
            severity=asked["severity"],
            topic=asked["topic"],
            subject=asked["subject"],
            since=max(since, default=None),
            until=min(until, default=None),
            is_open=asked["is_open"],
        )


def run_of(text: str) -> tuple[str, int] | None:
    """Experiment and number of EXPERIMENT/NUMBER; None for what is none."""
    experiment, _, number = text.strip().rpartition("/")
    fits = experiment and number.isascii() and number.isdecimal() and len(number) <= 9
    return (experiment, int(number)) if fits else None


def just_after(moment: datetime | None) -> datetime | None:
    """The event that says so is of the same moment."""
    return moment and moment + timedelta(milliseconds=1)


def _begin_of(day: date | None, *, days: int = 0) -> datetime | None:
    return None if day is None else midnight(day, days=days)
