"""Values as people read them. Text of others loses what could steer a terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime

NOTHING = "-"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def clean(text: object) -> str:
    """One line without control characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text).replace("\n", " "))


def when(moment: datetime | None) -> str:
    """In the time zone of who reads it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else NOTHING


def lasting(seconds: float | None) -> str:
    """H:MM:SS."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def size(number: float | None, per: str = "") -> str:
    """Bytes with three digits, in powers of 1000."""
    if number is None:
        return NOTHING
    power = 0
    while number >= 999.5 and power < len(UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.{0 if power == 0 or number >= 99.95 else 1}f} {UNITS[power]}{per}"


def yes(value: bool | None) -> str:
    """Unknown is neither."""
    return "?" if value is None else "yes" if value else "no"


def cell(value: object) -> str:
    """One value of a table."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return yes(value)
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, list | tuple):
        return clean(", ".join(map(str, value))) or NOTHING
    return clean(value)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], none: str = "None.") -> list[str]:
    """Lines of aligned columns; numbers to the right. `none` where there are no rows."""
    values = [list(row) for row in rows]
    if not values:
        return [none]
    cells = [[cell(value) for value in row] for row in values]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    right = [all(_is_number(value) for value in column) for column in zip(*values, strict=True)]
    return [_line(line, widths, right) for line in ([each.upper() for each in head], *cells)]


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        each.rjust(width) if flush else each.ljust(width)
        for each, width, flush in zip(cells, widths, right, strict=True)
    ]
    return "  ".join(padded).rstrip()


def pairs(values: Iterable[tuple[str, object]]) -> list[str]:
    """Lines `name  value`, those without a value left out."""
    kept = [(name, cell(value)) for name, value in values if value not in (None, "", [], ())]
    width = max((len(name) for name, _ in kept), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in kept]
