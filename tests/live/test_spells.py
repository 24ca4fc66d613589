"""How the detector was over time: one spell goes on, another begins, and what nobody saw is in none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attpcdaq.live import spells
from attpcdaq.live.lease import LeaseLostError, Term, fenced
from attpcdaq.live.models import Spell
from attpcdaq.live.spells import Cause, Look
from tests.live.writing import writing_term

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
READY = Look("ok", "Ready")
SILENT = Look("bad", "Run 7 is not taking all data", (Cause("no-data", "No data", ("router-cobo1",), lost=True),), 7)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def noted(*looks: tuple[Look, float]) -> list[tuple[str, float | None, float | None, float | None]]:
    """(level, began, seen, ended) of each spell in seconds after noon."""
    for look, seconds in looks:
        spells.note(look, at(seconds))
    rows = Spell.objects.order_by("id")
    return [(row.level, after(row.began_at), after(row.seen_at), after(row.ended_at)) for row in rows]


def after(moment: datetime | None) -> float | None:
    return (moment - NOON).total_seconds() if moment else None


def test_the_same_again_goes_on() -> None:
    assert noted((READY, 0), (READY, 4), (READY, 19)) == [("ok", 0, 19, None)]


def test_another_begins_where_the_one_before_ends() -> None:
    assert noted((READY, 0), (READY, 4), (SILENT, 8)) == [("ok", 0, 4, 8), ("bad", 8, 8, None)]
    row = Spell.objects.get(ended_at=None)
    assert row.causes == [{"key": "no-data", "title": "No data", "parts": ["router-cobo1"], "lost": True}]
    assert row.run_id == 7


def test_another_part_or_another_run_is_another_spell() -> None:
    other = Look(SILENT.level, SILENT.title, (Cause("no-data", "No data", ("router-cobo2",), lost=True),), 7)
    next_run = Look("ok", "Ready", (), 8)
    assert len(noted((SILENT, 0), (other, 4), (READY, 8), (next_run, 12))) == 4


@pytest.mark.parametrize("look", [READY, SILENT])
def test_what_nobody_saw_is_in_no_spell(look: Look) -> None:
    assert noted((READY, 0), (READY, 4), (look, 20)) == [("ok", 0, 4, 4), (look.level, 20, 20, None)]


def test_a_clock_that_is_corrected_changes_nothing() -> None:
    assert noted((READY, 0), (READY, 4), (READY, 2.5)) == [("ok", 0, 4, None)]


def test_a_clock_that_jumps_back_begins_another() -> None:
    assert noted((READY, 0), (READY, 4), (READY, -3600)) == [("ok", 0, 4, 4), ("ok", -3600, -3600, None)]


def test_in_one_statement_it_goes_on() -> None:
    spell = spells.note(READY, NOON)
    assert spells.go_on(spell, at(5))
    assert Spell.objects.get().seen_at == at(5)


@pytest.mark.parametrize("seconds", [-1, 21])
def test_not_across_a_gap_nor_back(seconds: float) -> None:
    spell = spells.note(READY, NOON)
    assert spells.go_on(spell, at(5))
    assert not spells.go_on(spell, at(seconds))
    assert not spells.go_on(spell + 1, at(6))
    assert Spell.objects.get().seen_at == at(5)


def test_a_spell_that_has_ended_does_not_go_on() -> None:
    spell = spells.note(READY, NOON)
    spells.note(SILENT, at(4))
    assert not spells.go_on(spell, at(5))


def test_who_lost_the_lease_writes_none() -> None:
    term = writing_term()
    with fenced(term):
        spells.note(READY, NOON)
    with fenced(Term(term.number - 1, term.holder)), pytest.raises(LeaseLostError):
        spells.note(SILENT, at(4))
    assert [row.level for row in Spell.objects.all()] == ["ok"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(st.sampled_from([READY, SILENT]), st.integers(-30, 30)), min_size=1, max_size=25))
def test_one_is_open_and_none_ends_before_it_begins(steps: list[tuple[Look, int]]) -> None:
    Spell.objects.all().delete()
    moment = NOON
    for look, seconds in steps:
        moment += timedelta(seconds=seconds)
        spells.note(look, moment)
    rows = list(Spell.objects.order_by("id"))
    assert [row.ended_at is None for row in rows] == [False] * (len(rows) - 1) + [True]
    assert all(row.began_at <= row.seen_at and (row.ended_at is None or row.began_at <= row.ended_at) for row in rows)
    assert rows[-1].level == steps[-1][0].level
