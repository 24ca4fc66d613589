"""The spells that the monitor puts down: how the detector was, by what data were missing, and how seldom it looks."""

from datetime import datetime

import pytest
from django.db import DatabaseError

from attpcdaq.live.models import Spell
from attpcdaq.live.spells import Look
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.seeing.looks import look
from attpcdaq.runcontrol.watching.spelling import Spelling
from attpcdaq.runlog.models import Run
from tests.runcontrol.rig import Rig


def spells_of(rig: Rig, seconds: float, spelling: Spelling) -> None:
    """What a monitor does for so long."""
    for _ in range(round(seconds * 2)):
        rig.time.elapsed += 0.5
        rig.look()
        spelling(rig.time.now())


class Looking:
    """Counts the looks that were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, now: datetime) -> Look:
        self.taken += 1
        return look(now)


def test_at_rest_nearly_no_look_is_taken_and_the_spell_goes_on(ready: Rig) -> None:
    looking = Looking()
    spelling = Spelling(looking)
    spells_of(ready, 9, spelling)
    assert looking.taken == 3, "of the first seconds"
    spells_of(ready, 20, spelling)
    assert looking.taken == 3
    (spell,) = Spell.objects.all()
    assert (spell.level, spell.title, spell.causes, spell.run_id) == ("ok", "Ready", [], None)
    assert (ready.time.now() - spell.seen_at).total_seconds() < 4


def test_at_rest_an_event_is_looked_at_but_rates_are_not(ready: Rig) -> None:
    looking = Looking()
    spelling = Spelling(looking)
    spells_of(ready, 12, spelling)
    before = looking.taken
    add_event("router")
    spells_of(ready, 5, spelling)
    assert looking.taken == before
    ready.do("breakup", ["ecc-cobo1"])
    spells_of(ready, 20, spelling)
    assert looking.taken == before + 3, "and a little longer, for ages"
    assert Spell.objects.get(ended_at=None).title == "Mixed states"


def test_a_look_that_fails_is_taken_again_but_not_at_once(ready: Rig) -> None:
    class Failing(Looking):
        def __call__(self, now: datetime) -> Look:
            if self.taken == 3:
                self.taken += 1
                raise DatabaseError("away")
            return super().__call__(now)

    looking = Failing()
    spelling = Spelling(looking)
    spells_of(ready, 20, spelling)
    ready.do("breakup", ["ecc-cobo1"])
    with pytest.raises(DatabaseError):
        spells_of(ready, 5, spelling)
    assert looking.taken == 4
    spells_of(ready, 3, spelling)
    assert looking.taken == 4
    spells_of(ready, 2, spelling)
    assert looking.taken == 5
    assert Spell.objects.get(ended_at=None).title == "Mixed states"


def test_after_a_while_it_looks_anyway(ready: Rig) -> None:
    looking = Looking()
    spells_of(ready, 80, Spelling(looking))
    assert looking.taken == 3 + 1 + 1


def test_a_run_without_data_of_a_board_is_put_down_with_who_is_missing(running: Rig) -> None:
    spelling = Spelling()
    running.write(0, "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw")
    running.write(1, "CoBo1_AsAd0_2026-11-22T09:48:24.458_0000.graw")
    running.write(2, "Mutant_2026-11-22T09:48:24.458_0000.graw")
    spells_of(running, 5, spelling)
    assert Spell.objects.get(ended_at=None).level == "ok"
    for size in range(12):
        running.write(0, "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw", b"f" * (100 + size))
        running.write(2, "Mutant_2026-11-22T09:48:24.458_0000.graw", b"f" * (100 + size))
        spells_of(running, 1, spelling)
    spell = Spell.objects.get(ended_at=None)
    assert (spell.level, spell.run_id) == ("bad", Run.objects.get().pk)
    assert [(cause["key"], cause["parts"], cause["lost"]) for cause in spell.causes] == [
        ("no-data", ["router-cobo1"], True)
    ]


def test_what_is_wrong_while_no_run_is_open_loses_no_data(ready: Rig) -> None:
    ready.nodes.stop_router("node-cobo1", 46006)
    ready.ecc.take_down("ecc-cobo1")
    spells_of(ready, 12, Spelling())
    spell = Spell.objects.get(ended_at=None)
    assert (spell.level, spell.title) == ("bad", "State unknown")
    assert [(cause["parts"], cause["lost"]) for cause in spell.causes] == [(["ecc-cobo1"], False)]


def test_a_clock_set_back_does_not_stop_it(ready: Rig) -> None:
    spelling = Spelling()
    spells_of(ready, 6, spelling)
    ready.time.set_by(-3600)
    spells_of(ready, 6, spelling)
    first, second = Spell.objects.order_by("id")
    assert second.began_at < first.began_at
    assert second.ended_at is None
