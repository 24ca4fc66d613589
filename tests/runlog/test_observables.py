"""Observables: what may be asked for, retired and brought back, copied."""

import pytest
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.live.models import Event
from attpcdaq.runlog.models import Experiment, Measurement, Observable
from attpcdaq.runlog.observables import (
    ObservableRefusedError,
    add,
    bring_back,
    change,
    copy_from,
    in_use,
    remove,
    reorder,
    retire,
)
from attpcdaq.runlog.values import limits, outside
from tests.runlog.rows import KIM, make_experiment, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    return make_experiment()


@pytest.fixture
def pressure(experiment: Experiment) -> Observable:
    return add(experiment, KIM, "Pressure", "number", "torr", "", minimum=0, maximum=800)


def names(experiment: Experiment) -> list[str]:
    return list(in_use(experiment).values_list("name", flat=True))


WRONG = [
    ({"name": ""}, "name", "needs a name"),
    ({"name": "pressure"}, "name", "has an observable of this name"),
    ({"name": "a\nb"}, "name", "printable characters on one line"),
    ({"name": "x" * 64}, "name", "at most 63"),
    ({"name": " "}, "name", "without blanks at the ends"),
    ({"name": "Pressure "}, "name", "without blanks at the ends"),
    ({"unit": "x" * 25}, "unit", "at most 24"),
    ({"comment": "x" * 201}, "comment", "at most 200"),
    ({"value_type": "date"}, "value_type", "integer, number, text"),
    ({"minimum": 2.0, "maximum": 1.0}, "maximum", "not be below the minimum, 2"),
    ({"minimum": float("inf")}, "minimum", "Use a number"),
    ({"maximum": float("nan")}, "maximum", "Use a number"),
    ({"value_type": "text", "minimum": 0.0}, "minimum", "A text has no limits"),
]


@pytest.mark.parametrize(("fields", "field", "said"), WRONG)
def test_what_makes_no_sense_is_refused_by_its_field(
    pressure: Observable, fields: dict[str, object], field: str, said: str
) -> None:
    wanted: dict[str, object] = {"name": "Gas", "value_type": "number", "unit": "", "comment": ""}
    with pytest.raises(ObservableRefusedError) as caught:
        add(pressure.experiment, KIM, **wanted | fields)  # type: ignore[arg-type]
    assert list(caught.value.errors) == [field]
    assert said in caught.value.errors[field]
    assert names(pressure.experiment) == ["Pressure"]


def test_a_change_to_what_it_is_already_leaves_no_line(pressure: Observable) -> None:
    before = Entry.objects.count()
    assert not change(pressure, KIM, name="Pressure", minimum=0.0)
    assert Entry.objects.count() == before
    assert change(pressure, KIM, maximum=900.0)
    assert (
        Entry.objects.all()[0].text
        == "Pressure [torr], number, 0 to 800 torr -> Pressure [torr], number, 0 to 900 torr"
    )
    assert "0 to 900 torr" in Event.objects.all()[0].text


def test_a_unit_written_as_comment_is_put_right(pressure: Observable) -> None:
    row = add(pressure.experiment, KIM, "Gas", "number", "", "torr")
    assert change(row, KIM, unit="torr", comment="")
    row.refresh_from_db()
    assert (row.unit, row.comment) == ("torr", "")
    assert Entry.objects.all()[0].text == "Gas, number, torr -> Gas [torr], number"


def test_its_own_name_in_other_letters_is_free(pressure: Observable) -> None:
    assert change(pressure, KIM, name="PRESSURE")


def test_a_type_that_values_do_not_fit_is_refused_where_it_is_stored(pressure: Observable) -> None:
    Measurement.objects.create(run=make_run(pressure.experiment, 1), observable=pressure, value="3.5")
    with pytest.raises(ObservableRefusedError, match=r"run 1: 3\.5"):
        change(pressure, KIM, value_type="integer")


def test_narrower_limits_keep_what_is_outside_and_name_it(pressure: Observable) -> None:
    for number, value in enumerate(("3", "700"), 1):
        Measurement.objects.create(run=make_run(pressure.experiment, number), observable=pressure, value=value)
    change(pressure, KIM, maximum=500.0)
    pressure.refresh_from_db()
    assert outside(pressure) == ["run 2: 700"]
    assert pressure.measurements.count() == 2


def test_a_retired_one_keeps_its_values_and_comes_back_at_the_end(pressure: Observable) -> None:
    experiment = pressure.experiment
    add(experiment, KIM, "Target", "text", "", "")
    Measurement.objects.create(run=make_run(experiment, 1), observable=pressure, value="3")
    assert retire(pressure, KIM, timezone.now())
    assert not retire(pressure, KIM)
    assert names(experiment) == ["Target"]
    assert pressure.measurements.count() == 1
    with pytest.raises(ObservableRefusedError, match="perhaps a retired one"):
        add(experiment, KIM, "Pressure", "number", "", "")
    assert bring_back(pressure, KIM)
    assert not bring_back(pressure, KIM)
    assert names(experiment) == ["Target", "Pressure"]
    said = list(Entry.objects.values_list("what", flat=True)[:3])
    assert said == ["bring back observable", "retire observable", "add observable"]


def test_those_of_another_experiment_are_copied_without_values(pressure: Observable) -> None:
    change(pressure, KIM, required=True)
    Measurement.objects.create(run=make_run(pressure.experiment, 1), observable=pressure, value="3")
    gone = add(pressure.experiment, KIM, "Old", "text", "", "")
    retire(gone, KIM)
    add(pressure.experiment, KIM, "Target", "text", "", "foil")
    other = make_experiment("e20010", is_active=False)
    add(other, KIM, "target", "text", "", "mine")
    assert copy_from(pressure.experiment, other, KIM) == (["Pressure"], ["Target"])
    assert names(other) == ["target", "Pressure"]
    copied = Observable.objects.get(experiment=other, name="Pressure")
    assert (copied.unit, limits(copied), copied.required) == ("torr", "0 to 800 torr", True)
    assert copied.required_since is not None
    assert not copied.measurements.exists()
    assert copy_from(pressure.experiment, other, KIM) == ([], ["Pressure", "Target"])


def test_the_order_of_those_in_use_leaves_retired_ones_behind(pressure: Observable) -> None:
    experiment = pressure.experiment
    second, third = (add(experiment, KIM, name, "text", "", "") for name in ("b", "c"))
    retire(second, KIM)
    reorder(experiment, [third.pk, pressure.pk], KIM)
    assert names(experiment) == ["c", "Pressure"]


def test_one_that_is_gone_is_not_removed_again(pressure: Observable) -> None:
    assert remove(pressure, KIM)
    assert not remove(pressure, KIM)


@pytest.mark.parametrize(
    ("minimum", "maximum", "words"), [(None, None, ""), (0, 1e-9, "0 to 1e-09 A"), (-5.5, None, "-5.5 A or more")]
)
def test_limits_in_words(minimum: float | None, maximum: float | None, words: str) -> None:
    assert limits(Observable(name="I", unit="A", minimum=minimum, maximum=maximum)) == words
