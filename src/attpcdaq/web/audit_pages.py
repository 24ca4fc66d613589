"""The audit trail: everybody who is logged in may read it."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from attpcdaq.audit.models import Entry, Outcome
from attpcdaq.web.audit_lines import Wanted, matching

PAGE = 100


class AuditFilter(forms.Form):
    """Which lines the page shows."""

    who = forms.CharField(label="Who", max_length=150, required=False)
    what = forms.CharField(label="What", max_length=40, required=False)
    outcome = forms.ChoiceField(label="What came of it", choices=[("", "any"), *Outcome.choices], required=False)
    text = forms.CharField(label="Text", max_length=100, required=False)
    command = forms.UUIDField(label="Command", required=False, widget=forms.HiddenInput)


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """The lines that fit, newest first, a page at a time."""
    form = AuditFilter(request.GET)
    rows = matching(Wanted(**form.cleaned_data)) if form.is_valid() else Entry.objects.none()
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "query": query.urlencode(),
        "people": Entry.objects.order_by("who").values_list("who", flat=True).distinct(),
        "kinds": Entry.objects.order_by("what").values_list("what", flat=True).distinct(),
    }
    return render(request, "audit/page.html", context)
