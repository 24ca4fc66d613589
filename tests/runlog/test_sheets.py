"""The run sheet: typed values, all or nothing, and two writers at once."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.audit.people import Requester
from attpcdaq.live.models import Event
from attpcdaq.runlog.models import Measurement, Observable, Run
from attpcdaq.runlog.observables import remove, reorder, retire
from attpcdaq.runlog.sheets import (
    ALL,
    Edit,
    SheetRefusedError,
    previous_with_values,
    save,
    save_and_fill,
)
from attpcdaq.runlog.values import ValueRefusedError, clean_value, number, unfit_values
from tests.runlog.rows import KIM, LEE, make_experiment, make_run
from tests.runlog.sheet_rows import closed_run, key


@pytest.fixture
def run(db: None) -> Run:
    return closed_run()


def filled(run: Run, by: Requester) -> tuple[str, ...]:
    return save_and_fill(run, {}, (ALL,), by).filled


def values(run: Run) -> dict[str, str]:
    return dict(run.measurements.values_list("observable__name", "value"))


ALLOWED = [
    ("number", ["1", "-1.5", "1e-3", ".5", "5.", "+2E+10", "  3.0 ", "\u00a03"]),
    ("integer", ["0", "-12", "+7", "123456789012345678901"]),
    ("text", ["CD2 500 µg/cm²", "=1+1", "a" * 200]),
]
REFUSED = [
    ("number", ["1,5", "abc", "1e999", "nan", "inf", "0x10", "1 2", "--1", "٣", "e5", ".", "1" * 201]),
    ("integer", ["1.0", "1e3", "x", "1_000", "٣", "1" * 31]),
    ("text", ["a\nb", "a\x00b", "a\x1bb", "a" * 201]),
]


@pytest.mark.parametrize(("value_type", "text"), [(kind, text) for kind, texts in ALLOWED for text in texts])
def test_values_that_fit(value_type: str, text: str) -> None:
    assert clean_value(Observable(name="x", value_type=value_type), text) == text.replace("\u00a0", " ").strip()


@pytest.mark.parametrize(("value_type", "text"), [(kind, text) for kind, texts in REFUSED for text in texts])
def test_values_that_do_not_fit_are_refused_by_name(value_type: str, text: str) -> None:
    with pytest.raises(ValueRefusedError, match=r"^Pressure \[torr\]: .* is not a ") as caught:
        clean_value(Observable(name="Pressure", unit="torr", value_type=value_type), text)
    assert str(caught.value).isprintable()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float_is_a_number_and_comes_back(value: float) -> None:
    observable = Observable(name="x", value_type="number")
    assert number(observable, clean_value(observable, repr(value))) == value


@given(st.text(max_size=30))
def test_what_is_taken_as_a_number_is_a_finite_one(text: str) -> None:
    observable = Observable(name="x", value_type="number")
    try:
        value = clean_value(observable, text)
    except ValueRefusedError:
        return
    assert value == "" or math.isfinite(float(value))


def test_title_class_notes_and_values_are_saved_together(run: Run) -> None:
    edits = {
        "title": Edit("", " alphas "),
        "run_class": Edit("testing", "beam"),
        "notes": Edit("", "a\r\nb"),
        key("Pressure"): Edit("", "1e-3"),
        key("Target"): Edit("", ""),
    }
    assert save(run, edits, KIM) == ("title", "run_class", "notes", key("Pressure"))
    run.refresh_from_db()
    assert (run.title, run.run_class, run.notes) == ("alphas", "beam", "a\nb")
    assert values(run) == {"Pressure": "1e-3"}
    assert Event.objects.get(topic="run").text == "Run sheet: Title, Class, Notes, Pressure by kim"


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("title", "a\nb", "Title: use one line of at most 200"),
        ("title", "a" * 201, "Title: use one line of at most 200"),
        ("run_class", "holiday", "Class: 'holiday' is not one of testing, production"),
        ("notes", "a\x00b", "Notes: use at most 20000 printable"),
        ("observable-999999", "1", "not part of the run sheet any more"),
        ("state", "running", "not part of the run sheet any more"),
    ],
)
def test_one_wrong_field_saves_nothing(run: Run, field: str, text: str, expected: str) -> None:
    with pytest.raises(SheetRefusedError) as caught:
        save(run, {key("Pressure"): Edit("", "3"), field: Edit("", text)}, KIM)
    assert expected in caught.value.errors[field]
    assert list(caught.value.errors) == [field]
    assert values(run) == {}
    assert not Event.objects.filter(topic="run").exists()


def test_two_writers_of_different_fields_both_win(run: Run) -> None:
    untouched = {key("Pressure"): Edit("", ""), key("Target"): Edit("", "")}
    save(run, untouched | {key("Pressure"): Edit("", "3")}, KIM)
    save(run, untouched | {key("Target"): Edit("", "CD2")}, LEE)
    assert values(run) == {"Pressure": "3", "Target": "CD2"}


def test_two_writers_of_one_field_the_second_is_asked(run: Run) -> None:
    pressure = key("Pressure")
    save(run, {pressure: Edit("", "3")}, KIM)
    with pytest.raises(SheetRefusedError) as caught:
        save(run, {pressure: Edit("", "4"), key("Target"): Edit("", "CD2")}, LEE)
    assert caught.value.errors == {pressure: "Pressure: somebody else wrote '3' meanwhile; save again to replace it."}
    assert values(run) == {"Pressure": "3"}
    assert save(run, {pressure: Edit("", "3")}, LEE) == ()
    save(run, {pressure: Edit("3", "4")}, LEE)
    save(run, {pressure: Edit("4", "")}, LEE)
    assert values(run) == {}


def test_same_as_previous_fills_only_what_is_empty(run: Run) -> None:
    save(run, {key("Pressure"): Edit("", "3"), key("Target"): Edit("", "CD2")}, KIM)
    make_run(run.experiment, 2)
    third = make_run(run.experiment, 3)
    save(third, {key("Target"): Edit("", "CH2")}, KIM)
    assert previous_with_values(third) == run
    assert filled(third, KIM) == ("Pressure",)
    assert values(third) == {"Pressure": "3", "Target": "CH2"}
    assert filled(third, KIM) == ()


def test_same_as_previous_leaves_out_what_no_longer_fits(run: Run) -> None:
    save(run, {key("Target"): Edit("", "CD2")}, KIM)
    Observable.objects.filter(name="Target").update(value_type="number")
    assert filled(make_run(run.experiment, 2), KIM) == ()


def test_the_first_run_has_no_previous_one(run: Run) -> None:
    assert previous_with_values(run) is None
    assert filled(run, KIM) == ()
    other = make_experiment("other", is_active=False)
    save(run, {key("Target"): Edit("", "CD2")}, KIM)
    assert previous_with_values(make_run(other, 2)) is None


def test_observables_are_ordered_and_removed_only_when_unused(run: Run) -> None:
    first, second, third = Observable.objects.all()
    reorder(run.experiment, [third.pk, first.pk], KIM)
    assert list(Observable.objects.all()) == [third, first, second]
    Measurement.objects.create(run=run, observable=first, value="3")
    assert not remove(first, KIM)
    assert remove(second, KIM)
    assert list(Observable.objects.all()) == [third, first]


def test_a_type_that_recorded_values_do_not_fit_is_known(run: Run) -> None:
    save(run, {key("Target"): Edit("", "CD2"), key("Pressure"): Edit("", "3.5")}, KIM)
    assert unfit_values(Observable.objects.get(name="Target"), "number") == ["run 1: CD2"]
    assert unfit_values(Observable.objects.get(name="Pressure"), "text") == []
    assert unfit_values(Observable.objects.get(name="Pressure"), "integer") == ["run 1: 3.5"]


LIMITS = [
    (0.0, 800.0, "801", "must be 0 to 800 torr"),
    (0.0, 800.0, "-0.1", "must be 0 to 800 torr"),
    (0.5, None, "0.49", "must be 0.5 torr or more"),
    (None, -10.0, "-9", "must be -10 torr or less"),
]


@pytest.mark.parametrize(("minimum", "maximum", "text", "said"), LIMITS)
def test_values_outside_the_limits_are_refused_with_the_limits(
    minimum: float | None, maximum: float | None, text: str, said: str
) -> None:
    limited = Observable(name="Pressure", unit="torr", value_type="number", minimum=minimum, maximum=maximum)
    with pytest.raises(ValueRefusedError, match=said):
        clean_value(limited, text)


@pytest.mark.parametrize("text", ["0", "800", "8e2", "+0", "799.999"])
def test_the_limits_themselves_are_inside(text: str) -> None:
    limited = Observable(name="Pressure", value_type="number", minimum=0, maximum=800)
    assert clean_value(limited, text) == text


def test_large_whole_numbers_are_compared_as_such() -> None:
    limited = Observable(name="Counts", value_type="integer", minimum=0, maximum=1e20)
    assert clean_value(limited, "1" + "0" * 20)
    with pytest.raises(ValueRefusedError):
        clean_value(limited, "1" + "0" * 19 + "01")


def test_limits_do_not_concern_texts() -> None:
    assert clean_value(Observable(name="Target", value_type="text", minimum=0, maximum=1), "CD2") == "CD2"


def test_every_change_is_kept_and_late_ones_are_marked(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="running", stopped_at=None, closed_at=None)
    save(run, {key("Pressure"): Edit("", "3"), "title": Edit("", "alphas")}, KIM)
    Run.objects.filter(pk=run.pk).update(state="closed")
    save(run, {key("Pressure"): Edit("3", "4"), key("Target"): Edit("", "")}, LEE)
    kept = [(each.who, each.field, each.was, each.now, each.late) for each in run.sheet_changes.all()]
    assert kept[0] == ("lee", "Pressure", "3", "4", True)
    assert sorted(kept[1:]) == [("kim", "Pressure", "", "3", False), ("kim", "Title", "", "alphas", False)]


def test_what_is_refused_leaves_no_history(run: Run) -> None:
    with pytest.raises(SheetRefusedError):
        save(run, {key("Pressure"): Edit("", "x"), "title": Edit("", "alphas")}, KIM)
    assert not run.sheet_changes.exists()


def test_the_previous_value_of_one_field_is_saved_with_what_was_typed(run: Run) -> None:
    save(run, {key("Pressure"): Edit("", "3"), key("Target"): Edit("", "CD2")}, KIM)
    second = make_run(run.experiment, 2)
    edits = {key("Pressure"): Edit("", "abc"), "title": Edit("", "betas")}
    saved = save_and_fill(second, edits, [key("Pressure")], LEE)
    assert saved.filled == ("Pressure",)
    assert set(saved.changed) == {key("Pressure"), "title"}
    assert values(second) == {"Pressure": "3"}
    assert "as in run 1 by lee" in Event.objects.filter(topic="run")[0].text


def test_the_previous_value_does_not_replace_what_somebody_else_wrote_meanwhile(run: Run) -> None:
    save(run, {key("Pressure"): Edit("", "3")}, KIM)
    second = make_run(run.experiment, 2)
    save(second, {key("Pressure"): Edit("", "5")}, KIM)
    with pytest.raises(SheetRefusedError) as caught:
        save_and_fill(second, {key("Pressure"): Edit("", "")}, [key("Pressure")], LEE)
    assert caught.value.is_conflict
    assert values(second) == {"Pressure": "5"}


def test_filling_all_leaves_what_was_typed(run: Run) -> None:
    save(run, {key("Pressure"): Edit("", "3"), key("Target"): Edit("", "CD2")}, KIM)
    second = make_run(run.experiment, 2)
    save_and_fill(second, {key("Pressure"): Edit("", "4")}, [ALL], LEE)
    assert values(second) == {"Pressure": "4", "Target": "CD2"}


def test_retired_ones_are_not_filled_and_may_still_be_written(run: Run) -> None:
    save(run, {key("Pressure"): Edit("", "3"), key("Target"): Edit("", "CD2")}, KIM)
    retire(Observable.objects.get(name="Target"), KIM)
    second = make_run(run.experiment, 2)
    assert filled(second, KIM) == ("Pressure",)
    # Typed while somebody retired it: asking no more is no reason to lose a value.
    assert save(second, {key("Target"): Edit("", "CH2")}, KIM) == (key("Target"),)
