"""Pages that everybody may look at and only some can change: others are told why not."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from attpcdaq.web.audited import because
from attpcdaq.web.roles import EXPERT_REASON, OBSERVER_REASON, may_expert, may_operate

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def operators_change(view: View[P]) -> View[P]:
    """Refuse (403, with the reason) what is not a GET to somebody who may only look."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") or may_operate(request.user):
            return view(request, *args, **kwargs)
        return refused(request, [OBSERVER_REASON], 403)

    return guarded


def experts_change(view: View[P]) -> View[P]:
    """Refuse (403, with the reason) what is not a GET to somebody who is no expert."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") or may_expert(request.user):
            return view(request, *args, **kwargs)
        return refused(request, [EXPERT_REASON], 403)

    return guarded


def refused(request: HttpRequest, reasons: list[str] | tuple[str, ...], status: int = 409) -> HttpResponse:
    """A page that says why nothing was done."""
    because(request, reasons)
    return render(request, "refused.html", {"reasons": reasons}, status=status)
