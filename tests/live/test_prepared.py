"""A question whose SQL is written once gives the same as the question itself, at any time."""

import pytest
from django.db.models import QuerySet

from attpcdaq.live import store
from attpcdaq.live.models import Event
from attpcdaq.live.prepared import Prepared

pytestmark = pytest.mark.django_db


def question() -> QuerySet[Event, tuple[int, str]]:
    return Event.objects.exclude(text="").filter(topic__in=("run", "ecc")).values_list("id", "text")[:2]


def test_it_is_written_once_and_asked_anew() -> None:
    written: list[int] = []

    def writing() -> QuerySet[Event, tuple[int, str]]:
        written.append(1)
        return question()

    prepared = Prepared(writing)
    assert prepared.rows() == []
    for number in range(3):
        store.add_event("run", f"100 % of run {number}")
        store.add_event("router", "not asked for")
        assert prepared.rows() == list(question())
    assert len(prepared.rows()) == 2
    assert len(written) == 1
