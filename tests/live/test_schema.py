"""Whether the tables are those of this program."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from attpcdaq.live import schema
from attpcdaq.live.schema import SchemaWatch, judge, known

OURS = frozenset({("live", "0001"), ("auth", "0001")})
LABELS = frozenset({"live"})


def test_judging() -> None:
    assert judge(OURS, OURS, LABELS) == ""
    assert judge(frozenset(), OURS, LABELS) == "The database has no tables yet: run manage.py migrate."
    assert judge(OURS - {("auth", "0001")}, OURS, LABELS) == (
        "The database is not migrated (1 to do): run manage.py migrate."
    )
    newer = judge(OURS | {("live", "0009_more")}, OURS, LABELS)
    assert "newer than this program" in newer
    assert "live 0009_more" in newer
    assert judge(OURS | {("auth", "0000_older"), ("gone", "0001")}, OURS, LABELS) == ""


def test_every_migration_is_known_without_loading_any() -> None:
    assert known() == set(MigrationLoader(None).disk_migrations)


@pytest.mark.django_db
def test_a_migrated_database_fits() -> None:
    assert schema.look() == ""


@pytest.mark.django_db
def test_it_is_looked_at_again_now_and_then() -> None:
    clock = [0.0]
    watch = SchemaWatch(lambda: clock[0])
    assert watch.problem() == ""
    MigrationRecorder(connection).record_applied("live", "9999_from_the_future")
    assert watch.problem() == ""
    clock[0] += schema.GOOD_FOR
    assert "live 9999_from_the_future" in watch.problem()
    MigrationRecorder(connection).record_unapplied("live", "9999_from_the_future")
    assert watch.problem()
    clock[0] += schema.LOOK_EVERY
    assert watch.problem() == ""
    MigrationRecorder(connection).record_unapplied("live", "0001_initial")
    watch.doubt()
    assert "not migrated (1 to do)" in watch.problem()


@pytest.mark.django_db
def test_waiting_says_so_once_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("live", "0001_initial")
    rounds = []

    def migrate_in_the_third_round(seconds: float) -> None:
        if len(rounds) == 3:
            recorder.record_applied("live", "0001_initial")

    schema.wait_until_it_fits(lambda: rounds.append(1), migrate_in_the_third_round)
    assert len(rounds) == 3
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("waiting: The database is not migrated (1 to do)")
    assert "going on" in said[1]


class LeftError(Exception):
    """Raised by the test, as a worker that is asked to end."""


@pytest.mark.django_db
def test_who_waits_can_leave() -> None:
    MigrationRecorder(connection).record_unapplied("live", "0001_initial")

    def leave() -> None:
        raise LeftError

    with pytest.raises(LeftError):
        schema.wait_until_it_fits(leave, lambda seconds: None)
