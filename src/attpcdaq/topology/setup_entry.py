"""One row of a setup from what somebody typed or sent, by the rules of the setup file."""

from collections.abc import Mapping
from typing import Any

from attpcdaq.topology.setup import Entry
from attpcdaq.topology.setup_file import TABLES


class EntryError(ValueError):
    """A row that may not be; `errors` says for each key what is allowed."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{key}: {text}" for key, text in errors.items()))
        self.errors = dict(errors)


def read_entry(kind: str, row: Mapping[str, Any]) -> Entry:
    """The row of this kind (node, ecc_server, data_router, data_source). EntryError names every key that is wrong."""
    table = TABLES[kind]
    errors = {key: "this is needed." for key in table.required if row.get(key) in ("", None)}
    errors |= {key: f"unknown; use {', '.join(table.readers)}." for key in row if key not in table.readers}
    read = {}
    for key in (key for key in table.readers if key in row and key not in errors):
        try:
            read[key] = table.readers[key](row[key])
        except ValueError as error:
            errors[key] = f"{str(error).rstrip('.')}."
    if errors:
        raise EntryError(errors)
    entry: Entry = table.entry(**read)
    return entry
