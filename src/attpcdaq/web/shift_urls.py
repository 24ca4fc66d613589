"""Addresses below shifts/."""

from django.urls import path

from attpcdaq.web import shift_actions, shift_beam_time, shift_checklist, shift_log_book, shift_notes, shift_pages

urlpatterns = [
    path("", shift_pages.overview, name="shifts"),
    path("begin", shift_actions.begin, name="shift-begin"),
    path("<int:pk>/", shift_pages.hand_over, name="shift"),
    path("<int:pk>/write", shift_actions.write, name="shift-write"),
    path("checklist/", shift_checklist.checklist, name="shift-checklist"),
    path("notes", shift_notes.add, name="shift-note"),
    path("gaps", shift_actions.name_gap, name="shift-gap"),
    path("beam-time/", shift_beam_time.beam_time, name="shift-beam-time"),
    path("log-book", shift_log_book.download, name="shift-log-book"),
]
