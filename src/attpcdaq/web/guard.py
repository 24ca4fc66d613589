"""Pages that everybody may look at and only some can change: others are told why not."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from attpcdaq.web.audited import because
from attpcdaq.web.roles import why_not

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
LOOKING = ("GET", "HEAD")


def operators_change(view: View[P]) -> View[P]:
    """Refuse (403, with the reason) what is not a GET to somebody who may only look."""
    return _guarded(view, "shifter", but=LOOKING)


def experts_change(view: View[P]) -> View[P]:
    """Refuse (403, with the reason) what is not a GET to somebody who is no expert."""
    return _guarded(view, "expert", but=LOOKING)


def for_admins(view: View[P]) -> View[P]:
    """Refuse (403, with the reason) everything, looking too, to somebody who is no administrator."""
    return _guarded(view, "admin", but=())


def _guarded(view: View[P], role: str, but: tuple[str, ...]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        reason = "" if request.method in but else why_not(request.user, role)
        return refused(request, [reason], 403) if reason else view(request, *args, **kwargs)

    return guarded


def refused(request: HttpRequest, reasons: list[str] | tuple[str, ...], status: int = 409) -> HttpResponse:
    """A page that says why nothing was done."""
    because(request, reasons)
    return render(request, "refused.html", {"reasons": reasons}, status=status)
