"""Run sheets, observables, measurements, experiments."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal, TypedDict

from attpcdaq_client.areas.area import LIMIT, Area
from attpcdaq_client.areas.runs import ALL_RUNS, FILTER, RunFilter
from attpcdaq_client.calls import Call, Model

Value = int | float | str
ValueType = Literal["integer", "number", "text"]


class Observable(Model):
    """A quantity recorded for each run."""

    id: int
    name: str
    type: str = ""
    unit: str = ""
    comment: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    retired_at: datetime | None = None


class SheetValue(Observable):
    """What a run sheet says of an observable; null: nothing."""

    value: Value | None = None


class Sheet(Model):
    """What the crew wrote of a run; `missing` is required and not there."""

    experiment: str
    run: int
    state: str = ""
    title: str = ""
    run_class: str = ""
    notes: str = ""
    missing: list[str] = []
    measurements: list[SheetValue] = []


class Same(Model):
    """The run whose values were taken, and for which observables."""

    run: int | None = None
    filled: list[str] = []


class SheetChange(Model):
    """One field that somebody changed; `late`: the run was over."""

    id: int
    at: datetime
    who: str = ""
    field: str = ""
    was: str = ""
    now: str = ""
    late: bool = False


class ObservableChange(TypedDict, total=False):
    """What shall be otherwise; a limit that is None is taken away."""

    name: str
    type: ValueType
    unit: str
    comment: str
    required: bool
    minimum: float | None
    maximum: float | None


class Copied(Model):
    """The names that are new, and those that were there."""

    copied: list[str] = []
    there_already: list[str] = []


class MeasuredRun(Model):
    """A run with its values by the observables' names."""

    number: int
    state: str = ""
    run_class: str = ""
    title: str = ""
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    values: dict[str, Value] = {}
    missing: list[str] = []


class Measurements(Model):
    """Runs and observables as a table."""

    experiment: str | None = None
    observables: list[Observable] = []
    runs: list[MeasuredRun] = []


class Experiment(Model):
    """A beam time; its directory is fixed from its first run on."""

    name: str
    directory: str = ""
    directory_is_fixed: bool = False
    active: bool = False
    runs: int = 0
    created_at: datetime | None = None


SHEET = Call("GET", "/runs/{number}/sheet", Sheet, query=("experiment",))
WRITE = Call(
    "PATCH",
    "/runs/{number}/sheet",
    Sheet,
    query=("experiment",),
    body=("title", "run_class", "notes", "measurements", "seen"),
)
SAME = Call("POST", "/runs/{number}/sheet/same-as-previous", Same, query=("experiment",), body=("observables",))
HISTORY = Call("GET", "/runs/{number}/sheet/history", list[SheetChange], query=("experiment", "limit", "offset"))
FIELDS = ("name", "type", "unit", "comment", "required", "minimum", "maximum")
OBSERVABLES = Call("GET", "/observables", list[Observable], query=("experiment", "retired"))
ADD = Call("POST", "/observables", Observable, query=("experiment",), body=FIELDS)
CHANGE = Call("PATCH", "/observables/{id}", Observable, body=FIELDS)
REMOVE = Call("DELETE", "/observables/{id}", type(None))
ORDER = Call("POST", "/observables/order", list[Observable], query=("experiment",), body=("order",))
COPY = Call("POST", "/observables/copy", Copied, query=("experiment",), body=("source",))
RETIRE = Call("POST", "/observables/{id}/retire", Observable)
BRING_BACK = Call("POST", "/observables/{id}/bring-back", Observable)
MEASUREMENTS = Call("GET", "/measurements", Measurements, query=(*FILTER, "retired", "limit", "offset"))
EXPERIMENTS = Call("GET", "/experiments", list[Experiment])
MAKE = Call("POST", "/experiments", Experiment, body=("name",))
RENAME = Call("PATCH", "/experiments/{name}", Experiment, body=("name",))
ACTIVATE = Call("POST", "/experiments/{name}/activate", Experiment)


class Sheets(Area):
    """What the crew writes of a run."""

    def one(self, number: int, *, experiment: str | None = None) -> Sheet:
        """The sheet of a run."""
        return self._send(SHEET, number=number, query={"experiment": experiment})

    def write(
        self,
        number: int,
        *,
        title: str | None = None,
        run_class: str | None = None,
        notes: str | None = None,
        measurements: Mapping[str, Value | None] | None = None,
        seen: Mapping[str, Value | None] | None = None,
        experiment: str | None = None,
    ) -> Sheet:
        """All or nothing; what is None stays, a measurement that is None is taken away. `seen`: what you saw there."""
        words = {"title": title, "run_class": run_class, "notes": notes}
        body = {**words, "measurements": dict(measurements or {}), "seen": dict(seen or {})}
        return self._send(WRITE, number=number, query={"experiment": experiment}, body=body)

    def same_as_previous(
        self, number: int, observables: Sequence[str] | None = None, *, experiment: str | None = None
    ) -> Same:
        """Take the values of the run before: for these, or for all that have none."""
        body = {"observables": list(observables) if observables else None}
        return self._send(SAME, number=number, query={"experiment": experiment}, body=body)

    def history(
        self, number: int, *, experiment: str | None = None, limit: int = LIMIT, offset: int = 0
    ) -> list[SheetChange]:
        """Who wrote what, newest first."""
        query = {"experiment": experiment, "limit": limit, "offset": offset}
        return self._send(HISTORY, number=number, query=query)

    def measurements(
        self, wanted: RunFilter = ALL_RUNS, *, retired: bool = False, limit: int = LIMIT, offset: int = 0
    ) -> Measurements:
        """Values by run and observable."""
        more = {"retired": retired, "limit": limit, "offset": offset}
        return self._send(MEASUREMENTS, query={**asdict(wanted), **more})


class Observables(Area):
    """What is recorded for each run."""

    def all(self, *, experiment: str | None = None, retired: bool = False) -> list[Observable]:
        """In the order of the sheet."""
        return self._send(OBSERVABLES, query={"experiment": experiment, "retired": retired})

    def add(self, observable: ObservableChange, *, experiment: str | None = None) -> Observable:
        """At the end of the sheet; it needs a name."""
        return self._send(ADD, query={"experiment": experiment}, body=observable)

    def change(self, observable_id: int, changes: ObservableChange) -> Observable:
        """What is not named stays."""
        return self._send(CHANGE, id=observable_id, body=changes)

    def remove(self, observable_id: int) -> None:
        """One that no run has a value of."""
        return self._send(REMOVE, id=observable_id)

    def order(self, ids: Sequence[int], *, experiment: str | None = None) -> list[Observable]:
        """As these ids."""
        return self._send(ORDER, query={"experiment": experiment}, body={"order": list(ids)})

    def copy(self, source: str, *, experiment: str | None = None) -> Copied:
        """Those of another experiment."""
        return self._send(COPY, query={"experiment": experiment}, body={"source": source})

    def retire(self, observable_id: int) -> Observable:
        """Ask no more; its values stay."""
        return self._send(RETIRE, id=observable_id)

    def bring_back(self, observable_id: int) -> Observable:
        """Ask for it again."""
        return self._send(BRING_BACK, id=observable_id)


class Experiments(Area):
    """Beam times."""

    def all(self) -> list[Experiment]:
        """Newest first."""
        return self._send(EXPERIMENTS)

    def make(self, name: str) -> Experiment:
        """Not yet active."""
        return self._send(MAKE, body={"name": name})

    def rename(self, name: str, new_name: str) -> Experiment:
        """The directory of its data stays, from the first run on."""
        return self._send(RENAME, name=name, body={"name": new_name})

    def activate(self, name: str) -> Experiment:
        """New runs belong to it."""
        return self._send(ACTIVATE, name=name)
