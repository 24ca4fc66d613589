"""Shifts begin and end one at a time, whoever presses at once; what is left open, written, ticked and named is kept."""

from typing import Any

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts import checks, desk, gaps, notes
from attpcdaq.shifts.models import Gap, Note, Shift
from attpcdaq.shifts.spans import Interval
from attpcdaq.testing.builders import build_detector
from tests.racing import race, race_of
from tests.runlog.rows import KIM, LEE, make_experiment
from tests.shifts.rows import NOON, at, make_shift, make_timed_run


@pytest.fixture
def experiment(db: None) -> Experiment:
    return make_experiment()


def said() -> list[tuple[str, str, str]]:
    return list(Entry.objects.order_by("id").values_list("who", "what", "text"))


class TestBeginAndEnd:
    def test_a_shift_begins_with_the_active_experiment_and_ends_with_what_was_open(
        self, experiment: Experiment
    ) -> None:
        build_detector(cobos=1)
        shift = desk.begin(" Kim, Lee ", KIM, NOON)
        assert desk.current() == shift
        assert (shift.crew, shift.experiment, shift.began_by) == ("Kim, Lee", experiment, "kim")
        ended = desk.end(shift.pk, LEE, at(100), hand_over="watch the gas\r\n")
        assert (ended.ended_at, ended.ended_by, ended.hand_over) == (at(100), "lee", "watch the gas")
        assert ended.problems[0]["text"] == "Nothing is known of the hardware: start the monitor process."
        assert desk.current() is None
        assert [what for _, what, _ in said()] == ["begin shift", "end shift"]
        assert [event.text for event in Event.objects.filter(topic="shift").order_by("id")] == [
            "Shift of Kim, Lee began",
            "Shift of Kim, Lee ended",
        ]

    def test_only_one_is_on(self, experiment: Experiment) -> None:
        first = desk.begin("Kim", KIM, NOON)
        with pytest.raises(CommandRefused, match=r"The shift of Kim is on since .*: end it first"):
            desk.begin("Lee", LEE, at(5))
        second = desk.begin("Lee", LEE, at(10), instead_of=first.pk)
        first.refresh_from_db()
        assert first.ended_at == second.began_at == at(10)
        with pytest.raises(CommandRefused, match=r"was ended at .* by lee"):
            desk.begin("Ann", KIM, at(20), instead_of=first.pk)
        assert desk.current() == second

    @pytest.mark.parametrize("crew", ["", "  ", "x" * 201, "a\nb", "a\0b"])
    def test_a_crew_has_a_name(self, experiment: Experiment, crew: str) -> None:
        with pytest.raises(BadCommand, match="crew: write 1 to 200 printable characters"):
            desk.begin(crew, KIM, NOON)
        assert not Shift.objects.exists()

    def test_a_clock_that_was_set_back_does_not_keep_it_from_ending(self, experiment: Experiment) -> None:
        shift = desk.begin("Kim", KIM, NOON)
        assert desk.end(shift.pk, KIM, at(-600)).ended_at == NOON

    def test_a_shift_that_is_not_there(self, experiment: Experiment) -> None:
        with pytest.raises(CommandRefused, match="There is no shift 7"):
            desk.end(7, KIM, NOON)

    def test_crews_are_offered_once_each(self, experiment: Experiment) -> None:
        for number, crew in enumerate(["Kim", "Lee", "Kim"]):
            make_shift(number * 100, number * 100 + 50, experiment, crew=crew)
        assert desk.recent_crews() == ["Kim", "Lee"]


class TestHandOver:
    def test_of_two_who_write_the_second_is_told(self, experiment: Experiment) -> None:
        shift = make_shift(0, None, experiment)
        desk.write_hand_over(shift.pk, "gas is low", KIM, at(5), was="")
        with pytest.raises(CommandRefused, match="Somebody else wrote meanwhile: 'gas is low'"):
            desk.write_hand_over(shift.pk, "beam is off", LEE, at(6), was="")
        desk.write_hand_over(shift.pk, "gas is low", LEE, at(6), was="")
        desk.write_hand_over(shift.pk, "gas is low\nbeam is off", LEE, at(7), was="gas is low\r\n")
        shift.refresh_from_db()
        assert shift.hand_over == "gas is low\nbeam is off"
        assert said()[0] == ("kim", "hand over", "'' -> 'gas is low'")

    def test_ending_writes_or_does_nothing(self, experiment: Experiment) -> None:
        shift = make_shift(0, None, experiment, hand_over="theirs")
        with pytest.raises(CommandRefused, match="meanwhile"):
            desk.end(shift.pk, KIM, at(5), hand_over="mine", was="")
        with pytest.raises(BadCommand, match="hand_over"):
            desk.end(shift.pk, KIM, at(5), hand_over="\0")
        assert desk.current() == shift
        assert not Entry.objects.exists()


class TestNotes:
    def test_a_note_is_kept_with_run_and_shift(self, experiment: Experiment) -> None:
        run, shift = make_timed_run(experiment, 1, 0, 50), make_shift(0, None, experiment)
        note = notes.add(" trip\r\nagain ", KIM, at(5), run=run, shift=shift)
        assert (note.text, note.by, note.run, note.shift) == ("trip\nagain", "kim", run, shift)
        assert list(notes.of_run(run)) == [note]
        assert list(notes.of_time(Interval(at(6), at(9)))) == []
        assert list(notes.of_time(Interval(at(6), at(9)), shift)) == [note]

    def test_a_form_sent_twice_is_one_note(self, experiment: Experiment) -> None:
        shift = make_shift(0, None, experiment)
        first = notes.add("trip", KIM, at(5), run=None, shift=shift)
        assert notes.add("trip", KIM, at(6), run=None, shift=shift) == first
        assert notes.add("trip", LEE, at(6), run=None, shift=shift) != first
        assert notes.add("trip", KIM, at(60), run=None, shift=shift) != first

    def test_a_note_on_nothing_is_refused(self, experiment: Experiment) -> None:
        with pytest.raises(CommandRefused, match="No shift is on and no run is open"):
            notes.add("trip", KIM, NOON, run=None, shift=None)

    @pytest.mark.parametrize("text", ["", " \n", "x" * 20_001, "\x1b[1m"])
    def test_a_note_has_words(self, experiment: Experiment, text: str) -> None:
        with pytest.raises(BadCommand, match="text: write 1 to 20000 printable characters"):
            notes.add(text, KIM, NOON, run=None, shift=make_shift(0, None, experiment))


class TestGaps:
    def test_a_cause_is_named_changed_and_taken_back(self, experiment: Experiment) -> None:
        run = make_timed_run(experiment, 1, 0, 50)
        gaps.name_cause(experiment, 1, "beam", "cryo", KIM, at(60))
        gaps.name_cause(experiment, 1, "daq", "", LEE, at(70), was="beam")
        gap = Gap.objects.get()
        assert (gap.after, gap.cause, gap.comment, gap.by, gap.at) == (run, "daq", "", "lee", at(70))
        gaps.name_cause(experiment, 1, "", "", LEE, at(80))
        assert not Gap.objects.exists()
        assert [text for _, _, text in said()] == [
            "nothing -> No beam: cryo",
            "No beam: cryo -> Data acquisition",
            "Data acquisition -> nothing",
        ]

    def test_before_the_first_run_too(self, experiment: Experiment) -> None:
        gap = gaps.name_cause(experiment, None, "access", "", KIM, NOON)
        assert gap is not None
        assert (gap.after, str(gap)) == (None, "access after the beginning")

    def test_who_saw_another_cause_is_told(self, experiment: Experiment) -> None:
        make_timed_run(experiment, 1, 0, 50)
        gaps.name_cause(experiment, 1, "beam", "", KIM, NOON, was="")
        with pytest.raises(CommandRefused, match="kim has named 'No beam' meanwhile"):
            gaps.name_cause(experiment, 1, "daq", "", LEE, NOON, was="")
        gaps.name_cause(experiment, 1, "", "", KIM, NOON, was="beam")
        with pytest.raises(CommandRefused, match="taken the cause back meanwhile"):
            gaps.name_cause(experiment, 1, "daq", "", LEE, NOON, was="beam")

    @pytest.mark.parametrize(
        ("after", "cause", "comment", "words"),
        [
            (1, "weather", "", "cause: 'weather' is not one of beam, detector"),
            (1, "beam", "a\nb", "comment: write 0 to 200"),
            (9, "beam", "", "after: there is no run 9 of e20009 that took data"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, experiment: Experiment, after: int, cause: str, comment: str, words: str
    ) -> None:
        make_timed_run(experiment, 1, 0, 50)
        with pytest.raises(BadCommand, match=words):
            gaps.name_cause(experiment, after, cause, comment, KIM, NOON)

    def test_a_run_that_goes_on_has_no_gap_after_it(self, experiment: Experiment) -> None:
        make_timed_run(experiment, 1, 0, None)
        with pytest.raises(CommandRefused, match="Run 1 has not stopped yet"):
            gaps.name_cause(experiment, 1, "beam", "", KIM, NOON)


class TestChecklist:
    def test_ticks_are_kept_with_who_and_when_and_merge(self, experiment: Experiment) -> None:
        shift = make_shift(0, None, experiment)
        checks.tick(shift.pk, {"beam": True, "gas": True}, KIM, at(5))
        checks.tick(shift.pk, {"gas": True, "hv": True}, LEE, at(9))
        kept = Shift.objects.get().checks
        assert {key: (one["ok"], one["by"]) for key, one in kept.items()} == {
            "beam": (True, "kim"), "gas": (True, "kim"), "hv": (True, "lee"),
        }  # fmt: skip
        checks.tick(shift.pk, {"beam": False}, LEE, at(12), checks.items_now())
        kept = Shift.objects.get().checks
        assert kept["beam"]["ok"] is False
        assert kept["auto-servers"]["text"] == "ECC servers: none is set up."
        assert said()[-1] == ("lee", "checklist", "beam: taken back")

    def test_an_item_that_is_none(self, experiment: Experiment) -> None:
        with pytest.raises(BadCommand, match="ticks: 'weather' is none of read, beam, gas"):
            checks.tick(make_shift(0, None, experiment).pk, {"weather": True}, KIM, NOON)

    def test_the_list_of_a_shift_that_has_ended_stays(self, experiment: Experiment) -> None:
        with pytest.raises(CommandRefused, match="has ended"):
            checks.tick(make_shift(0, 5, experiment).pk, {"beam": True}, KIM, at(9))


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def outcomes(self, results: list[object]) -> tuple[int, int]:
        """How many got through, and how many were told why not."""
        refused = [each for each in results if isinstance(each, CommandRefused)]
        assert [each for each in results if isinstance(each, Exception) and each not in refused] == []
        return len(results) - len(refused), len(refused)

    def test_two_who_begin_at_once(self) -> None:
        make_experiment()
        results = race(4, lambda: desk.begin("Kim", KIM, NOON))
        assert self.outcomes(results) == (1, 3)
        assert Shift.objects.count() == 1

    def test_two_who_end_at_once(self) -> None:
        shift = make_shift(0, None, make_experiment())
        ends: list[Any] = [lambda by=by: desk.end(shift.pk, by, at(9)) for by in (KIM, LEE)]
        assert self.outcomes(race_of(*ends)) == (1, 1)
        assert Entry.objects.filter(what="end shift").count() == 1

    def test_two_who_take_over_at_once(self) -> None:
        shift = make_shift(0, None, make_experiment())
        results = race(3, lambda: desk.begin("Lee", LEE, at(9), instead_of=shift.pk))
        assert self.outcomes(results) == (1, 2)
        assert Shift.objects.filter(ended_at=None).count() == 1
        assert Shift.objects.count() == 2

    def test_two_who_tick_at_once_lose_nothing(self) -> None:
        shift = make_shift(0, None, make_experiment())
        keys = ("beam", "gas", "hv")
        ticks: list[Any] = [lambda key=key: checks.tick(shift.pk, {key: True}, KIM, at(5)) for key in keys]
        assert self.outcomes(race_of(*ticks)) == (3, 0)
        assert set(Shift.objects.get().checks) == set(keys)

    def test_two_who_name_a_cause_at_once(self) -> None:
        experiment = make_experiment()
        make_timed_run(experiment, 1, 0, 50)
        causes = ("beam", "daq", "access")
        works: list[Any] = [
            lambda cause=cause: gaps.name_cause(experiment, 1, cause, "", KIM, at(60), was="") for cause in causes
        ]
        assert self.outcomes(race_of(*works)) == (1, 2)
        assert Gap.objects.count() == 1

    def test_the_same_note_sent_twice_at_once(self) -> None:
        shift = make_shift(0, None, make_experiment())
        race(3, lambda: notes.add("trip", KIM, at(5), run=None, shift=shift))
        assert Note.objects.count() == 1
