"""Run sheets, observables, measurements and experiments as the API takes and gives them."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from attpcdaq.runlog.models import Observable, Run
from attpcdaq.runlog.values import number
from attpcdaq.web.api_schemas import BODIES, STRICT, Moment, RunClassName

ValueTypeName = Literal["integer", "number", "text"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Value = Annotated[int | Finite | str, Field(description="A number, or a text as it would be typed.")]
ObservableName = Annotated[str, Field(min_length=1, max_length=63)]
NewName = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
RowId = Annotated[int, Field(ge=1, lt=1 << 63)]


class ObservableOut(Schema):
    id: int
    name: str
    type: ValueTypeName
    unit: str
    comment: str
    required: bool
    minimum: float | None
    maximum: float | None
    retired_at: Moment | None = Field(description="Not asked for since.")

    @classmethod
    def of(cls, row: Observable) -> "ObservableOut":
        return cls(**fields_of(row))


class ObservableIn(Schema):
    """A new observable."""

    model_config = STRICT

    name: ObservableName
    type: ValueTypeName = "number"
    unit: str = Field("", max_length=24)
    comment: str = Field("", max_length=200)
    required: bool = Field(False, description="A sheet without it is called incomplete.")
    minimum: Finite | None = Field(None, description="Smallest value allowed; not for texts.")
    maximum: Finite | None = Field(None, description="Largest value allowed; not for texts.")


class ObservableChange(Schema):
    """What is left out stays as it is; a limit of null is none."""

    model_config = STRICT

    name: ObservableName | None = None
    type: ValueTypeName | None = None
    unit: str | None = Field(None, max_length=24)
    comment: str | None = Field(None, max_length=200)
    required: bool | None = None
    minimum: Finite | None = None
    maximum: Finite | None = None


class OrderIn(Schema):
    """The ids in their new order; the ones left out follow."""

    model_config = STRICT

    order: list[RowId] = Field(min_length=1, max_length=1000)


class CopyIn(Schema):
    """The experiment whose observables are added."""

    model_config = STRICT

    source: str = Field(min_length=1, max_length=64)


class CopiedOut(Schema):
    copied: list[str]
    there_already: list[str]


class SheetValueOut(ObservableOut):
    value: int | float | str | None


class SheetOut(Schema):
    """What the crew wrote of a run; a retired observable is there where it has a value."""

    experiment: str
    run: int
    state: str
    title: str
    run_class: str
    notes: str
    missing: list[str] = Field(description="Required observables without a value.")
    measurements: list[SheetValueOut]


class SheetIn(Schema):
    """What is to be changed, all or nothing; what is left out stays as it is."""

    model_config = STRICT

    title: str | None = Field(None, max_length=250)
    run_class: RunClassName | None = None
    notes: str | None = Field(None, max_length=25_000)
    measurements: dict[ObservableName, Value | None] = Field(
        default={}, max_length=1000, description="By the observable's name; null: no value."
    )
    seen: dict[str, Value | None] = Field(
        default={},
        max_length=1000,
        description="What the writer saw, by field (title, run_class, notes or an observable's name): "
        "refused (409) where it is something else by now.",
    )


class SameIn(Schema):
    """Which observables; null: all that have no value."""

    model_config = STRICT

    observables: Annotated[list[ObservableName], Field(min_length=1, max_length=1000)] | None = None


class SameOut(Schema):
    run: int | None = Field(description="The run whose values were taken; null: none has any.")
    filled: list[str]


class SheetChangeOut(Schema):
    id: int
    at: Moment
    who: str
    field: str
    was: str
    now: str
    late: bool = Field(description="The run was over then.")


class MeasuredRunOut(Schema):
    number: int
    title: str
    run_class: str
    state: str
    started_at: Moment | None
    stopped_at: Moment | None
    missing: list[str]
    values: dict[str, int | float | str] = Field(description="By the observable's name.")


class MeasurementsOut(Schema):
    """The header X-Total-Count says how many runs fit."""

    experiment: str | None
    observables: list[ObservableOut]
    runs: list[MeasuredRunOut]


class ExperimentOut(Schema):
    name: str
    directory: str = Field(description="Where its data lie below each staging directory.")
    directory_is_fixed: bool = Field(description="Since its first run; before that it follows the name.")
    active: bool
    runs: int
    created_at: Moment


class ExperimentIn(Schema):
    """A name, which may become a directory."""

    model_config = STRICT

    name: NewName


BODIES.update(
    new_observable=ObservableIn, observable_change=ObservableChange, new_order=OrderIn, copy_wish=CopyIn,
    sheet_edit=SheetIn, same_wish=SameIn, named=ExperimentIn,
)  # fmt: skip


def fields_of(row: Observable) -> dict[str, Any]:
    """The fields of an observable by the names that the API uses."""
    plain = ("name", "unit", "comment", "required", "minimum", "maximum", "retired_at")
    return {"id": row.pk, "type": row.value_type} | {name: getattr(row, name) for name in plain}


def value_of(row: Observable, text: str) -> int | float | str | None:
    return number(row, text) if text else None


def measured_run(run: Run, observables: list[Observable], values: dict[int, str], missing: list[str]) -> MeasuredRunOut:
    """A line of the measurements."""
    plain = ("number", "title", "run_class", "state", "started_at", "stopped_at")
    return MeasuredRunOut(
        **{name: getattr(run, name) for name in plain},
        missing=missing,
        values={each.name: number(each, values[each.pk]) for each in observables if each.pk in values},
    )
