"""Addresses: pages, partials, actions, the event stream; set-up, runs and API in modules of their own."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from attpcdaq.web import (
    account_pages,
    actions,
    audit_pages,
    control_actions,
    health,
    help_pages,
    own_account,
    pages,
    partials,
    stream,
    theme,
    wall,
)
from attpcdaq.web.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.status, name="status"),
    path("login/", pages.Login.as_view(), name="login"),
    path("logout/", login_not_required(LogoutView.as_view()), name="logout"),
    path("actions/set-aside", actions.set_aside, name="set-aside"),
    path("actions/adopt", actions.adopt, name="adopt"),
    path("actions/exclude", actions.exclude, name="exclude"),
    path("actions/include", actions.include, name="include"),
    path("actions/restart", actions.restart, name="restart"),
    path("actions/preferences", actions.prefer, name="preferences"),
    path("actions/control", control_actions.act, name="control"),
    path("actions/<slug:action>", actions.act, name="action"),
    path("partials/control", control_actions.bar, name="control-bar"),
    path("partials/status", partials.status, name="status-partials"),
    path("partials/servers/<int:server_id>/menu", partials.server_menu, name="server-menu"),
    path("partials/routers/<int:router_id>/menu", partials.router_menu, name="router-menu"),
    path("events/stream", stream.stream, name="event-stream"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.prometheus, name="metrics"),
    path("", include("attpcdaq.web.log_urls")),
    path("runs/", include("attpcdaq.web.run_urls")),
    path("accounts/", account_pages.overview, name="accounts"),
    path("accounts/role", account_pages.give_role, name="account-role"),
    path("accounts/password", account_pages.give_password, name="account-password"),
    path("accounts/active", account_pages.activate, name="account-active"),
    path("accounts/revoke", account_pages.revoke_token, name="account-token-revoke"),
    path("account/", own_account.page, name="account"),
    path("account/revoke", own_account.revoke, name="account-revoke"),
    path("password/", account_pages.ChangePassword.as_view(), name="password"),
    path("wall/", wall.page, name="wall"),
    path("partials/wall", wall.panel, name="wall-panel"),
    path("theme", theme.choose, name="theme"),
    path("audit/", audit_pages.audit, name="audit"),
    path("help/", help_pages.page, name="help"),
    path("help/<path:name>/", help_pages.page, name="help-page"),
    path("help/<path:name>", help_pages.file, name="help-file"),
    path("setup/", include("attpcdaq.web.setup_urls")),
    path("shifts/", include("attpcdaq.web.shift_urls")),
    path("api/v1/", api.urls),
]
