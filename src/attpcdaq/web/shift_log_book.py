"""The log book as a file: Markdown, or HTML that needs nothing else."""

from datetime import datetime

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from attpcdaq.shifts import log_book
from attpcdaq.shifts.log_book import LogBook
from attpcdaq.shifts.log_book_markdown import markdown
from attpcdaq.shifts.models import Shift
from attpcdaq.web.guard import refused
from attpcdaq.web.run_found import chosen_experiment

FORMATS = {"markdown": ("md", "text/markdown"), "html": ("html", "text/html")}


class WhichForm(forms.Form):
    """What of: a shift by its number, or a day; neither: the experiment."""

    format = forms.ChoiceField(choices=[(name, name) for name in FORMATS], required=False)
    shift = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    day = forms.DateField(required=False)


@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """Of ?shift=, ?day= or ?experiment=, as ?format=markdown or html."""
    form = WhichForm(request.GET)
    if not form.is_valid():
        return refused(request, [f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()], 400)
    wanted = form.cleaned_data
    book = _book(request, wanted["shift"], wanted["day"], timezone.now())
    return answer(book, wanted["format"] or "markdown")


def _book(request: HttpRequest, shift_id: int | None, day: datetime | None, now: datetime) -> LogBook:
    if shift_id is not None:
        shift = Shift.objects.filter(pk=shift_id).first()
        if shift is None:
            raise Http404(f"There is no shift {shift_id}.")
        return log_book.of_shift(shift, now)
    experiment = chosen_experiment(request)
    if day is not None:
        return log_book.of_day(day, experiment, now)
    if experiment is None:
        raise Http404("There is no experiment yet.")
    return log_book.of_experiment(experiment, now)


def answer(book: LogBook, form: str) -> HttpResponse:
    """A file to keep."""
    ending, kind = FORMATS[form]
    text = markdown(book) if form == "markdown" else render_to_string("shifts/log_book.html", {"book": book})
    headers = {"Content-Disposition": f'attachment; filename="{book.name}.{ending}"'}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)
