"""Values of observables: what may be written down, and how it is read."""

import math
import re
from collections.abc import Callable, Iterable

from attpcdaq.runlog.models import Observable, ValueType

INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MAX_LENGTH = 200
ALLOWED = {
    ValueType.INTEGER: "a whole number, as in 42",
    ValueType.NUMBER: "a number with a decimal point, as in 3.14 or 1e-3",
    ValueType.TEXT: f"a line of at most {MAX_LENGTH} printable characters",
}
READERS: dict[str, Callable[[str], int | float | str]] = {ValueType.INTEGER: int, ValueType.NUMBER: float}


class ValueRefusedError(ValueError):
    """A value that does not fit; the text names the observable and what is allowed."""


def plain(text: str) -> str:
    """Without blanks at the ends; the hard blanks that word processors leave become plain ones."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").strip()


def clean_value(observable: Observable, text: str) -> str:
    """The value as it is stored, "" for none; ValueRefusedError."""
    value = plain(text)
    if value and not _fits(ValueType(observable.value_type), value):
        raise ValueRefusedError(f"{observable}: {value[:60]!r} is not {ALLOWED[ValueType(observable.value_type)]}.")
    if value and is_outside(observable, value):
        raise ValueRefusedError(f"{observable}: {value[:60]} is not allowed: it must be {limits(observable)}.")
    return value


def is_outside(observable: Observable, value: str) -> bool:
    """Whether a value that fits its type lies outside the limits; texts have none."""
    if observable.value_type == ValueType.TEXT:
        return False
    measured = number(observable, value)
    assert not isinstance(measured, str)
    lower, upper = observable.minimum, observable.maximum
    return (lower is not None and measured < lower) or (upper is not None and measured > upper)


def limits(observable: Observable) -> str:
    """The limits in words, as in "0 to 50 torr"; "" for none."""
    lower, upper = observable.minimum, observable.maximum
    unit = f" {observable.unit}" if observable.unit else ""
    if lower is not None and upper is not None:
        return f"{lower:.15g} to {upper:.15g}{unit}"
    if lower is not None:
        return f"{lower:.15g}{unit} or more"
    return f"{upper:.15g}{unit} or less" if upper is not None else ""


def _fits(value_type: ValueType, value: str) -> bool:
    if len(value) > MAX_LENGTH or not value.isprintable():
        return False
    if value_type == ValueType.INTEGER:
        return bool(INTEGER.fullmatch(value))
    if value_type == ValueType.NUMBER:
        return bool(NUMBER.fullmatch(value)) and math.isfinite(float(value))
    return True


def number(observable: Observable, value: str) -> int | float | str:
    """A stored value as the analysis wants it: int, float or text."""
    return reader(observable.value_type)(value)


def reader(value_type: str) -> Callable[[str], int | float | str]:
    """What makes of stored values of this type what the analysis wants."""
    return READERS.get(value_type, str)


def unfit_values(observable: Observable, value_type: str) -> list[str]:
    """The runs whose recorded value would not fit another type."""
    wanted = ValueType(value_type)
    return [f"run {run}: {value}" for run, value in _recorded(observable) if not _fits(wanted, value)]


def outside(observable: Observable) -> list[str]:
    """The runs whose recorded value lies outside the limits as they are now; such values stay."""
    return [f"run {run}: {value}" for run, value in _recorded(observable) if is_outside(observable, value)]


def _recorded(observable: Observable) -> Iterable[tuple[int, str]]:
    return observable.measurements.order_by("run__number").values_list("run__number", "value")
