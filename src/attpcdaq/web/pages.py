"""Whole pages: log-in, status."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect

from attpcdaq.web.control_bar import control_bar
from attpcdaq.web.partials import PANELS, drawn


class Login(LoginView):
    """Log-in; a part of a page asked for after the session ended sends the whole browser here."""

    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(reverse("login"))
        return super().get(request, *args, **kwargs)


@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """The page from which runs are taken."""
    panels, context = drawn(request, PANELS)
    bar = control_bar(request, context["status"].control)
    return render(request, "status/page.html", context | {"panels": panels, "bar": bar})
