"""Addresses of events and logs (not below /events/, which is the event stream's)."""

from django.urls import path

from attpcdaq.web import event_pages, log_pages

urlpatterns = [
    path("log/", event_pages.overview, name="events"),
    path("log/acknowledge", event_pages.note, name="acknowledge"),
    path("logs/", log_pages.overview, name="logs"),
    path("logs/<str:kind>/<str:name>/", log_pages.tail, name="log-tail"),
    path("logs/<str:kind>/<str:name>/news", log_pages.news, name="log-news"),
    path("logs/<str:kind>/<str:name>/download", log_pages.download, name="log-download"),
]
