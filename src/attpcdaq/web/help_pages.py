"""The manual, beside the pages that it explains, and for those who cannot log in."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from attpcdaq.web import help_text


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every page by its title."""
    return render(request, "help/index.html", {"pages": help_text.read_all()})


@login_not_required
@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page."""
    try:
        found = help_text.read(name)
    except KeyError:
        raise Http404 from None
    return render(request, "help/page.html", {"page": found})
