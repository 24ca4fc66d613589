"""Whether the DAQ itself is well: for supervisors and for Prometheus. Nothing here asks anybody but the database."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from attpcdaq.config.version import VERSION
from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.web import metrics
from attpcdaq.web.api_auth import TOKEN
from attpcdaq.web.one_time import FIRST, must_choose


@login_not_required
@never_cache
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers, whatever the rest does."""
    return HttpResponse(f"alive {VERSION}\n", content_type="text/plain")


@login_not_required
@never_cache
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Every check in words, "ok" where all is well; 503 when the main job cannot be done."""
    checks = HEALTH.checks()
    is_ready = not any(check.hinders for check in checks)
    words = {check.name: "ok" if check.level == "ok" else f"{check.level}: {check.text}" for check in checks}
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    response = JsonResponse({"ready": is_ready, "version": VERSION, "checks": words}, status=status)
    response._has_been_logged = True  # type: ignore[attr-defined]  # whoever asks each second would fill the log
    return response


@login_not_required
@never_cache
@require_GET
def prometheus(request: HttpRequest) -> HttpResponse:
    """The metrics, for whoever is logged in or sends a token of the API."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    by_token = scheme.lower() == "bearer" and TOKEN.authenticate(request, token)
    if not (by_token or request.user.is_authenticated):
        text = "send a token: Authorization: Bearer TOKEN (manage.py token create NAME)\n"
        return HttpResponse(text, "text/plain", HTTPStatus.UNAUTHORIZED)
    if not by_token and must_choose(request):
        return HttpResponse(f"{FIRST}\n", "text/plain", HTTPStatus.FORBIDDEN)
    return HttpResponse(metrics.page(), content_type=metrics.CONTENT_TYPE)
