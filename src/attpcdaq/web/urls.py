"""Addresses: pages, partials, actions, the event stream; set-up, runs and API in modules of their own."""

from importlib.util import find_spec

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from attpcdaq.web import actions, pages, partials, stream

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.status, name="status"),
    path("login/", pages.Login.as_view(), name="login"),
    path("logout/", login_not_required(LogoutView.as_view()), name="logout"),
    path("actions/<slug:action>", actions.act, name="action"),
    path("partials/status", partials.status, name="status-partials"),
    path("partials/servers/<int:server_id>/menu", partials.server_menu, name="server-menu"),
    path("events/stream", stream.stream, name="event-stream"),
    path("healthz", pages.health, name="health"),
]
if find_spec("attpcdaq.web.run_urls"):
    urlpatterns.append(path("runs/", include("attpcdaq.web.run_urls")))
if find_spec("attpcdaq.web.setup_urls"):
    urlpatterns.append(path("setup/", include("attpcdaq.web.setup_urls")))
if find_spec("attpcdaq.web.api"):
    from attpcdaq.web.api import api

    urlpatterns.append(path("api/v1/", api.urls))
