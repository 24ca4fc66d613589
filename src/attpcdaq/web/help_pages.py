"""The manual as it was built (docs/, ADR 44), also for those who cannot log in. Where nginx is, it serves it itself."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

INDEX = "index.html"


@login_not_required
@require_safe
def page(request: HttpRequest, name: str = "") -> HttpResponse:
    """One page; without a name the first one."""
    return _sent(request, f"{name}/{INDEX}" if name else INDEX)


@login_not_required
@require_safe
def file(request: HttpRequest, name: str) -> HttpResponse:
    """What pages consist of; a page whose slash was forgotten leads to it."""
    if name and _path(f"{name}/{INDEX}") is not None:
        return HttpResponseRedirect(f"{request.path}/")
    return _sent(request, name)


def _sent(request: HttpRequest, name: str) -> HttpResponse:
    found = _path(name)
    if found is None and _path(INDEX) is None:
        return render(request, "help/not_built.html", status=404)
    if found is None:
        raise Http404
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    seen = found.stat()
    mark = f'"{seen.st_mtime_ns:x}-{seen.st_size:x}"'
    # Asked for again each time, and not sent again where it is the same: as nginx does it.
    headers = {"Cache-Control": "no-cache", "ETag": mark}
    answer = HttpResponse(found.read_bytes(), f"{kind}; charset=utf-8" if _is_text(kind) else kind, headers=headers)
    return get_conditional_response(request, etag=mark, response=answer) or answer


def _path(name: str) -> Path | None:
    """A file of the manual, None where there is none or the name leads out of it."""
    root: Path = settings.HELP
    try:
        found = (root / name).resolve(strict=True)
    except (OSError, ValueError):  # nothing there, or no name that a file could have
        return None
    return found if found.is_relative_to(root.resolve()) and found.is_file() else None


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind.endswith(("javascript", "json", "xml"))
