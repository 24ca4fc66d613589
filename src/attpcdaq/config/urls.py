"""The root of all addresses."""

from django.urls import include, path

urlpatterns = [path("", include("attpcdaq.web.urls"))]
handler500 = "attpcdaq.web.bad_days.server_failed"
