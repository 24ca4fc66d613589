"""What happened, with search; warnings and errors are acknowledged here."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.live import events
from attpcdaq.live.events import MOST_AT_ONCE, NoSuchEventError, Wanted, acknowledge, matching
from attpcdaq.live.models import LogKind
from attpcdaq.topology.models import DataRouter, ECCServer
from attpcdaq.web.audited import because
from attpcdaq.web.event_filter import EventFilter
from attpcdaq.web.guard import operators_change
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate

PAGE = 100
BAD_CHOICE = "Which events? Give their numbers (1 to 500 of them), or the number of the newest one."


@require_GET
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """The events that fit, newest first, a page at a time; with ?panels= only the list."""
    form = EventFilter(request.GET)
    context: dict[str, Any] = {"event_id": latest_event_id(), "form": form}
    if form.is_valid():
        context |= _listed(form, form.wanted(), form.cleaned_data["before"])
    context["may_operate"] = may_operate(request.user)
    if "panels" in request.GET:
        return render(request, "events/list.html", context, status=200 if form.is_valid() else 400)
    context["subjects"] = _subjects()
    return render(request, "events/page.html", context, status=200 if form.is_valid() else 400)


def _listed(form: EventFilter, wanted: Wanted, before: int | None) -> dict[str, Any]:
    rows = matching(wanted)
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    shown = found[:PAGE]
    is_open = [event for event in shown if event.severity in events.TO_BE_NOTED and not event.acknowledged_at]
    logs = _logs()
    return {
        "events": shown,
        "rows": [(event, logs.get(event.subject, "")) for event in shown],
        "open": is_open,
        "count": events.count_open(),
        "query": form.query(),
        "before": before,
        "older": form.query(before=str(shown[-1].pk)) if len(found) > PAGE else "",
    }


def _logs() -> dict[str, str]:
    """The kind of log of each part that has one."""
    found: dict[str, str] = {}
    for kind, model in ((LogKind.ROUTER, DataRouter), (LogKind.ECC, ECCServer)):
        found |= dict.fromkeys(model.objects.exclude(log_file="").values_list("name", flat=True), kind.value)
    return found


def _subjects() -> list[str]:
    """What the field offers: every part that events tell of by its name."""
    names = (model.objects.values_list("name", flat=True) for model in (ECCServer, DataRouter))
    return sorted(name for each in names for name in each)


@require_POST
@operators_change
def note(request: HttpRequest) -> HttpResponse:
    """Acknowledge one (`event`), those shown (`shown`, with `all=shown`), or all up to `through` (with `all=open`)."""
    sent = request.POST
    wish = sent.getlist("event") or (sent.getlist("shown") if sent.get("all") == "shown" else [])
    through = sent.get("through", "") if sent.get("all") == "open" and not wish else ""
    numbers = [int(text) for text in (*wish, *filter(None, [through])) if text.isascii() and text.isdecimal()]
    if not numbers or len(numbers) != len(wish) + bool(through) or not _are_ids(numbers):
        return _answer(request, 400, "Nothing was acknowledged", BAD_CHOICE)
    by, now = requester_of(request), timezone.now()
    try:
        count = acknowledge(by, now, through=numbers[0]) if through else acknowledge(by, now, ids=numbers)
    except NoSuchEventError as error:
        return _answer(request, 400, "Nothing was acknowledged", str(error))
    return _answer(request, 200, _said(count))


def _are_ids(numbers: list[int]) -> bool:
    return len(numbers) <= MOST_AT_ONCE and all(1 <= number <= events.NEWEST for number in numbers)


def _said(count: int) -> str:
    if count == 0:
        return "Somebody had acknowledged this already"
    return f"{count} event{'s' if count > 1 else ''} acknowledged"


def _answer(request: HttpRequest, status: int, title: str, reason: str = "") -> HttpResponse:
    """For the message area of the page; without scripts the page itself, with the message on it."""
    because(request, filter(None, [reason]))
    if request.headers.get("HX-Request"):
        context = {"title": title, "reasons": [reason] if reason else [], "accepted": status == 200}
        return render(request, "partials/action_message.html", context, status=status)
    messages.add_message(request, messages.ERROR if reason else messages.SUCCESS, f"{title}. {reason}".strip())
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    to = request.POST.get("next", "")
    return to if url_has_allowed_host_and_scheme(to, allowed_hosts=None) else reverse("events")
