"""The audit trail only grows."""

import pytest
from django.db import transaction

from attpcdaq.audit import trail
from attpcdaq.audit.models import Entry, Outcome
from attpcdaq.audit.people import DAQ, at_the_console

pytestmark = pytest.mark.django_db
TOO_LONG = 300


@pytest.fixture
def line() -> Entry:
    trail.record(DAQ, "start", Outcome.DONE, subject="run 7")
    return Entry.objects.get()


def test_a_line_is_not_changed(line: Entry) -> None:
    line.who = "somebody else"
    with pytest.raises(TypeError, match="append-only"):
        line.save()
    assert Entry.objects.get().who == "DAQ"


def test_a_line_is_not_deleted(line: Entry) -> None:
    with pytest.raises(TypeError, match="append-only"):
        line.delete()
    assert Entry.objects.exists()


def test_nor_are_many_at_once(line: Entry) -> None:
    for refused in (
        lambda: Entry.objects.update(who="x"),
        lambda: Entry.objects.all().delete(),
        lambda: Entry.objects.filter(pk=line.pk).delete(),
    ):
        with pytest.raises(TypeError, match="append-only"):
            refused()
    assert Entry.objects.get().who == "DAQ"


def test_nor_one_by_one_in_bulk(line: Entry) -> None:
    with pytest.raises(TypeError, match="append-only"), transaction.atomic():
        Entry.objects.bulk_update([line], ["who"])


def test_long_words_are_cut_to_what_the_table_holds() -> None:
    trail.record(DAQ, "w" * TOO_LONG, Outcome.REFUSED, subject="s" * TOO_LONG, text="t" * TOO_LONG)
    line = Entry.objects.get()
    assert (len(line.what), len(line.subject), len(line.text)) == (40, 200, TOO_LONG)


def test_what_no_table_can_hold_is_replaced() -> None:
    trail.record(DAQ, "a\0b", Outcome.REFUSED, subject="c\0", text="there is no 'd\0'")
    line = Entry.objects.get()
    assert (line.what, line.subject, line.text) == ("a\ufffdb", "c\ufffd", "there is no 'd\ufffd'")


def test_who_watches_learns_whether_a_line_stands() -> None:
    with trail.watching() as written:
        assert not trail.stands(written)
        with pytest.raises(ZeroDivisionError):
            _record_and_fail()
        assert not trail.stands(written)
        trail.record(DAQ, "start", Outcome.REFUSED)
        assert trail.stands(written)


def test_the_console_says_which_program_and_where() -> None:
    by = at_the_console("manage.py role")
    assert by.name
    assert by.origin.startswith("manage.py role on ")


@transaction.atomic
def _record_and_fail() -> None:
    trail.record(DAQ, "start", Outcome.ACCEPTED)
    raise ZeroDivisionError
