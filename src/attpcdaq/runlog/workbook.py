"""The run list as an Excel workbook: numbers are numbers, times are times, and no text is ever a formula."""

from datetime import UTC, datetime
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]  # it comes without
from django.db.models import QuerySet

from attpcdaq.runlog.exports import COLUMNS, Cell, columns_of, described, lines
from attpcdaq.runlog.models import Experiment, Observable, Run, ValueType
from attpcdaq.runlog.values import number

# Excel's own limits: characters of a cell, and figures that it keeps of a number.
MOST_CHARACTERS = 32_767
LARGEST_EXACT = 10**15
TIME = "yyyy-mm-dd hh:mm:ss"
WIDTHS = {"title": 32, "started [UTC]": 19, "stopped [UTC]": 19, "data [bytes]": 16, "verdict": 32, "notes": 40}
WIDTH = 12


def write(file: IO[bytes], experiment: Experiment, runs: QuerySet[Run], asked: dict[str, str]) -> None:
    """Write a workbook with the sheets Runs, Observables and About; row by row, so that memory does not grow."""
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # Text as "1e-3" stays text: what is a number is given as a number.
    options = plain | {"strings_to_numbers": False, "default_date_format": TIME, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(file, options) as book:
        observables = columns_of(experiment, runs)
        _write_runs(book, runs, observables)
        _write_observables(book, observables)
        about = {"experiment": experiment.name, "directory": experiment.data_directory, **asked}
        _write_table(book, "About", ("what", "value"), [list(item) for item in about.items()])


def _write_runs(book: Any, runs: QuerySet[Run], observables: list[Observable]) -> None:
    titles = (*(column.title for column in COLUMNS), *(str(each) for each in observables))
    sheet = _sheet(book, "Runs", titles)
    sheet.freeze_panes(1, 2)
    last = 0
    for last, (run, values) in enumerate(lines(runs), start=1):
        cells = [column.value(run) for column in COLUMNS]
        cells += [_typed(each, values.get(each.pk, "")) for each in observables]
        _write_row(sheet, last, cells)
    sheet.autofilter(0, 0, last, len(titles) - 1)


def _write_observables(book: Any, observables: list[Observable]) -> None:
    titles = tuple(described(Observable()))
    _write_table(book, "Observables", titles, [list(described(each).values()) for each in observables])


def _write_table(book: Any, name: str, titles: tuple[str, ...], rows: list[list[Cell]]) -> None:
    sheet = _sheet(book, name, titles)
    sheet.freeze_panes(1, 0)
    for at, row in enumerate(rows, start=1):
        _write_row(sheet, at, row)


def _sheet(book: Any, name: str, titles: tuple[str, ...]) -> Any:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "bottom": 1})
    for column, title in enumerate(titles):
        sheet.set_column(column, column, WIDTHS.get(title, max(WIDTH, min(len(title) + 2, 40))))
        sheet.write_string(0, column, title, bold)
    return sheet


def _write_row(sheet: Any, row: int, cells: list[Cell]) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, bool):
            sheet.write_boolean(row, column, cell)
        elif isinstance(cell, str):
            if cell:
                sheet.write_string(row, column, cell[:MOST_CHARACTERS])
        elif isinstance(cell, datetime):
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None))
        elif cell is not None:
            sheet.write_number(row, column, cell)


def _typed(observable: Observable, value: str) -> Cell:
    """A number as a number; one that Excel would round stays text."""
    if not value or observable.value_type == ValueType.TEXT:
        return value
    found = number(observable, value)
    return value if isinstance(found, int) and abs(found) >= LARGEST_EXACT else found
