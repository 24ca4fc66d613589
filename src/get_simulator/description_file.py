"""Reading a description file (TOML); every error names the key and what is allowed."""

import ipaddress
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from get_simulator.description import (
    MUTANT,
    Description,
    Detector,
    EccServerSpec,
    NodeSpec,
    Physics,
    RouterSpec,
    Ssh,
    Timing,
    board_order,
)

T = TypeVar("T")
SECTIONS = ("detector", "physics", "timing", "ssh", "ecc_server", "data_router", "node")
CHOICES: Mapping[str, Collection[str]] = {
    "mutant": ("none", "no-readout", "readout"),
    "ecc_servers": ("one-each", "one-for-all"),
    "link_type": ("TCP", "FDT"),
    "readout": ("partial", "full"),
    "access": ("ssh", "agent"),
    "program": ("dataRouter", "DataExporter"),
}
LIMITS: Mapping[str, tuple[float, float]] = {
    "cobos": (0, 1000),
    "agents": (0, 1000),
    "rollover_bytes": (1, 1 << 40),
    "event_rate": (0, 1000),
    "speed": (0.001, 10000),
}
BOARD = re.compile(r"CoBo\[\d{1,3}\]|Mutant\[master\]")
DIRECTORY = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.-]{1,64}){1,8}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class BadDescription(ValueError):
    """The description is wrong; the text names the key and what is allowed."""


def read_description(path: Path, overrides: Mapping[str, Mapping[str, object]] | None = None) -> Description:
    """The description in the file `path`; `overrides` replaces single keys of its sections. Raises BadDescription."""
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDescription(f"{path}: cannot be read ({error.strerror}); give a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDescription(f"{path}: is not valid TOML: {error}") from None
    return describe(tables, overrides)


def describe(tables: Mapping[str, Any], overrides: Mapping[str, Mapping[str, object]] | None = None) -> Description:
    """The description that the TOML tables say; {} gives the default detector. Raises BadDescription."""
    for key in tables:
        if key not in SECTIONS:
            raise BadDescription(f"{key}: no such table; allowed: {', '.join(SECTIONS)}")
    merged = {key: _section(tables, key) | dict((overrides or {}).get(key, {})) for key in SECTIONS[:4]}
    detector = _read(Detector(), "detector", merged["detector"])
    layout = _layout(detector, tables)
    _check_ports(detector, layout)
    return replace(
        layout,
        physics=_read(Physics(), "physics", merged["physics"]),
        timing=_read(Timing(), "timing", merged["timing"]),
        ssh=_read(Ssh(), "ssh", merged["ssh"]),
    )


def _layout(detector: Detector, tables: Mapping[str, Any]) -> Description:
    """Explicit tables replace what the short form would make, table by table."""
    nodes = _nodes(detector, tables) or detector.make_nodes()
    if not nodes:
        raise BadDescription("detector.cobos: a detector needs at least one CoBo or a MuTAnT")
    names = {node.name for node in nodes}
    explicit = _ecc_servers(detector, tables, names)
    routers = _data_routers(detector, tables, names)
    if _rows(tables, "node") and not (explicit and routers):
        raise BadDescription("node: explicit nodes need explicit [[ecc_server]] and [[data_router]] tables too")
    servers = explicit or detector.make_ecc_servers(nodes)
    routers = routers or detector.make_data_routers(nodes)
    _check_agents(nodes, routers)
    boards = {board for server in servers for board in server.boards}
    return Description(
        servers,
        routers,
        nodes,
        tuple(sorted(boards, key=board_order)),
        detector.mutant,
        detector.address,
        detector.control_port,
        detector.rollover_bytes,
        detector.log_frames,
    )


def _nodes(detector: Detector, tables: Mapping[str, Any]) -> tuple[NodeSpec, ...]:
    return tuple(
        _read(detector.node("", i), f"node[{i}]", row, ("name",)) for i, row in enumerate(_rows(tables, "node"))
    )


def _ecc_servers(detector: Detector, tables: Mapping[str, Any], nodes: set[str]) -> tuple[EccServerSpec, ...]:
    default = EccServerSpec("", detector.address, 0, (), "")
    servers = tuple(
        _read(default, f"ecc_server[{i}]", row, ("name", "port", "boards", "node"))
        for i, row in enumerate(_rows(tables, "ecc_server"))
    )
    _check_nodes("ecc_server", [server.node for server in servers], nodes)
    return servers


def _data_routers(detector: Detector, tables: Mapping[str, Any], nodes: set[str]) -> tuple[RouterSpec, ...]:
    default = RouterSpec("", detector.address, 0, detector.link_type, "", program=detector.program)
    routers = tuple(
        _read(default, f"data_router[{i}]", row, ("name", "port", "node"))
        for i, row in enumerate(_rows(tables, "data_router"))
    )
    _check_nodes("data_router", [router.node for router in routers], nodes)
    return routers


def _section(tables: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = tables.get(key, {})
    if not isinstance(table, dict):
        raise BadDescription(f"{key}: must be a table, written [{key}]")
    return table


def _rows(tables: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = tables.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadDescription(f"{key}: must be a list of tables, written [[{key}]]")
    return rows


def _read(default: T, where: str, table: Mapping[str, Any], required: Sequence[str] = ()) -> T:
    """`default` with the keys of `table` checked and put in."""
    allowed = {field.name: getattr(default, field.name) for field in fields(default)}  # type: ignore[arg-type]
    for key in table:
        if key not in allowed:
            raise BadDescription(f"{where}.{key}: no such key; allowed: {', '.join(allowed)}")
    for key in required:
        if key not in table:
            raise BadDescription(f"{where}.{key}: is missing")
    values = {key: _value(f"{where}.{key}", key, value, allowed[key]) for key, value in table.items()}
    return replace(default, **values)  # type: ignore[type-var]


def _value(where: str, key: str, value: object, default: object) -> object:
    """`value` checked; what is not one of the special keys is a text or a number, as its default is."""
    special = SPECIAL.get(key)
    if special is not None:
        return special(where, value)
    if key in CHOICES and isinstance(default, str):
        return _choice(where, value, CHOICES[key])
    if isinstance(default, str):
        return _text(where, value)
    low, high = (0, 65535) if key.endswith("port") else LIMITS.get(key, (0, 86400))
    return _number(where, value, low, high, whole=isinstance(default, int))


def _path(where: str, value: object) -> Path:
    return Path(_text(where, value)).expanduser()


def _directory(where: str, value: object) -> str:
    words = "a path on the node such as /staging, of letters, digits and _.- (no . or ..)"
    return _matching(where, _text(where, value), DIRECTORY, words)


def _name(where: str, value: object) -> str:
    return _matching(where, _text(where, value), NAME, "letters, digits and _.- (at most 64)")


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise BadDescription(f"{where}: must be a text, not {value!r}")
    return value


def _matching(where: str, value: str, pattern: re.Pattern[str], words: str) -> str:
    if not pattern.fullmatch(value):
        raise BadDescription(f"{where}: must be {words}, not {value!r}")
    return value


def _choice(where: str, value: object, allowed: Collection[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadDescription(f"{where}: must be one of {', '.join(allowed)}; not {value!r}")
    return value


def _address(where: str, value: object) -> str:
    try:
        return str(ipaddress.IPv4Address(_text(where, value)))
    except ValueError:
        raise BadDescription(f"{where}: must be a numeric IPv4 address such as 127.0.0.1, not {value!r}") from None


def _boards(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise BadDescription(f'{where}: must be a list of different boards such as ["CoBo[0]", "{MUTANT}"]')
    return tuple(_matching(where, _text(where, board), BOARD, f"CoBo[<number>] or {MUTANT}") for board in value)


def _yes_or_no(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadDescription(f"{where}: must be true or false, not {value!r}")
    return value


def _number(where: str, value: object, low: float, high: float, *, whole: bool) -> float:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
        words = "a whole number" if whole else "a number"
        raise BadDescription(f"{where}: must be {words} from {low} to {high}, not {value!r}")
    return value if whole else float(value)


SPECIAL: Mapping[str, Callable[[str, object], object]] = {
    "authorized_keys": _path,
    "host_key": _path,
    "address": _address,
    "boards": _boards,
    "name": _name,
    "node": _name,
    "staging": _directory,
    "log_frames": _yes_or_no,
}


def _check_nodes(kind: str, used: Iterable[str], names: Collection[str]) -> None:
    for i, node in enumerate(used):
        if node not in names:
            raise BadDescription(f"{kind}[{i}].node: must be one of {', '.join(sorted(names))}; not {node!r}")


def _check_agents(nodes: Sequence[NodeSpec], routers: Sequence[RouterSpec]) -> None:
    for i, node in enumerate(nodes):
        watched = sum(router.node == node.name for router in routers)
        if node.access == "agent" and watched != 1:
            raise BadDescription(
                f"node[{i}].access: an agent watches exactly one data router; {node.name} has {watched}"
            )


def _check_ports(detector: Detector, layout: Description) -> None:
    """Names and ports are used once each; a port counted up must stay below 65536."""
    taken: dict[tuple[str, int], str] = {}
    parts = [(server.name, server.address, server.port) for server in layout.ecc_servers]
    parts += [(router.name, router.address, router.port) for router in layout.data_routers]
    parts += [(node.name, node.address, node.port) for node in layout.nodes]
    parts.append(("the control port", layout.control_address, layout.control_port))
    if len({name for name, _, _ in parts}) != len(parts):
        raise BadDescription("name: every ECC server, data router and node needs a name of its own")
    for name, address, port in parts:
        if port > 65535:
            raise BadDescription(f"{name}: port {port} is above 65535; choose a lower first port")
        if port and (address, port) in taken:
            raise BadDescription(f"{name}: port {port} is also the port of {taken[address, port]}")
        taken[address, port] = name
