"""Which runs a page is asked for: the same fields, in the address, for the list, its exports and what is made of it."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest

from attpcdaq.runlog.listing import NEWEST, ORDERS, SORTS, VERDICTS, Wanted
from attpcdaq.runlog.models import RunClass, RunState
from attpcdaq.web.plain_select import PlainSelect

ANY = [("", "any")]
LABELS = {"run": "run number", "problem": "what went wrong", "data": "amount of data", "files": "number of files"}
UP, DOWN = "up", "down"
FIRST_DOWN = {"run", "start", "duration", "files", "data"}
"""What is looked at largest first."""


def _sorts() -> list[tuple[str, str]]:
    both = [(name, LABELS.get(name, name)) for name in ORDERS]
    words = [("-run", "newest first"), ("run", "oldest first")]
    return words + [
        (sign + name, f"{label}, {DOWN if sign else UP}") for name, label in both[1:] for sign in _signs(name)
    ]


def _signs(name: str) -> tuple[str, str]:
    return ("-", "") if name in FIRST_DOWN else ("", "-")


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give a day as 2026-11-22."},
    )


class RunFilter(forms.Form):
    """Which runs are shown, and in which order."""

    text = forms.CharField(label="Text or number", max_length=100, required=False)
    run_class = forms.ChoiceField(label="Class", choices=ANY + RunClass.choices, required=False, widget=PlainSelect)
    state = forms.ChoiceField(label="State", choices=ANY + RunState.choices, required=False, widget=PlainSelect)
    verdict = forms.ChoiceField(label="Data", choices=ANY + VERDICTS, required=False, widget=PlainSelect)
    since = _day("From")
    until = _day("To")
    sort = forms.ChoiceField(
        label="Sorted by",
        choices=_sorts,
        required=False,
        widget=PlainSelect,
        error_messages={"invalid_choice": f"The list can be sorted by {', '.join(SORTS)}."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs["enterkeyhint"] = "search"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["sort"] = cleaned.get("sort") or NEWEST
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", f"It must not be before {since}.")
        return cleaned

    @property
    def asked(self) -> dict[str, str]:
        """What is asked for, field by field as it stands in the address; empty ones are left out."""
        found = {name: str(self.data.get(name, "")).strip() for name in self.fields}
        return {name: value for name, value in found.items() if value and (name, value) != ("sort", NEWEST)}

    @property
    def narrows(self) -> bool:
        """Whether some runs may be left out."""
        return bool(self.asked.keys() - {"sort"})

    def reasons(self) -> list[str]:
        """What is wrong, naming the field."""
        return [f"{self.fields[name].label}: {' '.join(map(str, texts))}" for name, texts in self.errors.items()]


def wanted_of(request: HttpRequest) -> tuple[RunFilter, Wanted | None]:
    """The form with what was asked for, and what that means; None where the form says what is wrong."""
    form = RunFilter(request.GET)
    return form, Wanted(**form.cleaned_data) if form.is_valid() else None


def query_of(form: RunFilter, experiment: str, **changed: str) -> str:
    """The address's query for the same list, with some of it changed; an empty value leaves it out."""
    asked = {"experiment": experiment} | form.asked | changed
    return urlencode({name: value for name, value in asked.items() if value})
