"""The setup file: TOML with a table per node, ECC server, data router and data source."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import tomli_w

from attpcdaq.topology import setup_values as values
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SetupError, SourceEntry, is_said
from attpcdaq.topology.setup_check import faults

MAX_BYTES = 1_000_000
HEADER = "# Setup of the AT-TPC DAQ: nodes, ECC servers, data routers and data sources (boards).\n\n"


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table: what builds its rows, how each key is read, and which keys must be there."""

    entry: type[Any]
    readers: Mapping[str, values.Reader]
    required: frozenset[str]


TABLES = {
    "node": Table(
        NodeEntry,
        {
            "name": values.name,
            "host": values.host,
            "access": values.access,
            "agent_port": values.port,
            "ssh_port": values.port,
            "ssh_user": values.optional(values.user),
            "restart_ecc": values.optional(values.restart_command),
            "restart_router": values.optional(values.restart_command),
        },
        frozenset({"name", "host"}),
    ),
    "ecc_server": Table(
        ServerEntry,
        {
            "name": values.name,
            "node": values.name,
            "host": values.host,
            "port": values.port,
            "describe_name": values.optional(values.describe),
            "config_dir": values.optional(values.directory),
            "backup_dir": values.optional(values.directory),
            "log_file": values.optional(values.path),
            "config": values.config,
            "deadlines": values.deadlines,
        },
        frozenset({"name", "node", "host"}),
    ),
    "data_router": Table(
        RouterEntry,
        {
            "name": values.name,
            "node": values.name,
            "host": values.host,
            "port": values.port,
            "link_type": values.link_type,
            "staging_dir": values.directory,
            "process_name": values.process_name,
            "log_file": values.optional(values.path),
        },
        frozenset({"name", "node", "host", "staging_dir"}),
    ),
    "data_source": Table(
        SourceEntry,
        {
            "sender_id": values.sender_id,
            "role": values.role,
            "ecc_server": values.name,
            "data_router": values.optional(values.name),
        },
        frozenset({"sender_id", "role", "ecc_server"}),
    ),
}


def parse(content: bytes | str) -> Setup:
    """The setup a file describes; SetupError names every fault by table, number and key."""
    setup = parse_rows(content)
    if found := faults(setup):
        raise SetupError(found)
    return setup


def parse_rows(content: bytes | str) -> Setup:
    """The same, but what the rows owe each other is not looked at."""
    return _setup(_document(content))


def read_document(document: Mapping[str, Any]) -> Setup:
    """The setup that the tables of such a file say; SetupError as `parse`."""
    setup = _setup(document)
    if found := faults(setup):
        raise SetupError(found)
    return setup


def _setup(document: Mapping[str, Any]) -> Setup:
    errors = [f"{key}: unknown; use the tables {', '.join(TABLES)}" for key in document if key not in TABLES]
    rows: dict[str, tuple[Any, ...]] = {kind: tuple(_rows(kind, document.get(kind, []), errors)) for kind in TABLES}
    if errors:
        raise SetupError(errors)
    return Setup(rows["node"], rows["ecc_server"], rows["data_router"], rows["data_source"])


def _document(content: bytes | str) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise SetupError([f"the file is larger than {MAX_BYTES} bytes"])
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise SetupError([f"the file is not UTF-8 text (byte {error.start})"]) from None
    except (ValueError, RecursionError) as error:
        raise SetupError([f"the file is not TOML: {error}"]) from None


def _rows(kind: str, found: Any, errors: list[str]) -> Iterator[Any]:
    if not isinstance(found, list):
        errors.append(f"{kind}: write each one as a table [[{kind}]]")
        return
    for index, row in enumerate(found, 1):
        where = f"[[{kind}]] number {index}"
        if not isinstance(row, dict):
            errors.append(f"{where}: write it as a table [[{kind}]]")
            continue
        known = len(errors)
        read = dict(_read_row(where, TABLES[kind], row, errors))
        if len(errors) == known:
            yield TABLES[kind].entry(**read)


def _read_row(where: str, table: Table, row: Mapping[str, Any], errors: list[str]) -> Iterator[tuple[str, object]]:
    label = row.get("name", row.get("sender_id"))
    where = f"{where} ({label})" if isinstance(label, str) and label.isprintable() and len(label) < 64 else where
    errors.extend(f"{where}: {key} is missing" for key in table.readers if key in table.required and key not in row)
    for key, value in row.items():
        if key not in table.readers:
            errors.append(f"{where}: {key} is unknown; use {', '.join(table.readers)}")
            continue
        try:
            yield key, table.readers[key](value)
        except ValueError as error:
            errors.append(f"{where}: {key} {_clip(value)} is not allowed: {error}")


def _clip(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def dump(setup: Setup) -> str:
    """The file's text; `parse` reads the same setup back."""
    parts = (setup.nodes, setup.ecc_servers, setup.data_routers, setup.data_sources)
    document = {kind: [row_of(entry) for entry in part] for kind, part in zip(TABLES, parts, strict=True) if part}
    return HEADER + tomli_w.dumps(document)


def row_of(entry: Any) -> dict[str, Any]:
    """A row as the file says it: without what is usual."""
    return {key: value for key, value in asdict(entry).items() if is_said(key, value)}
