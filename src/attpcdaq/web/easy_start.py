"""What Easy setup's form begins with: the numbers of the setup that is there, as far as it is regular."""

from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address
from itertools import pairwise
from typing import Any

from attpcdaq.topology import easy_setup
from attpcdaq.topology.models import Role
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup

NODE_KEYS = ("access", "ssh_user", "restart_ecc", "restart_router")
ROUTER_KEYS = ("link_type", "process_name", "staging_dir", "log_file")
NAMED = "log_file"
"""The key in which Easy setup puts the name of each in place of {name}."""
SERVER_KEYS: Mapping[str, str] = {"config_dir": "config_dir", "backup_dir": "backup_dir", "log_file": "ecc_log_file"}


def begin_with(setup: Setup) -> dict[str, Any]:
    """Values for the form; nothing for what differs from board to board without a rule."""
    if not setup.data_sources:
        return {}
    found: dict[str, Any] = {
        "ecc_servers": easy_setup.ONE_FOR_ALL if len(setup.ecc_servers) == 1 else easy_setup.ONE_EACH
    }
    cobos = sum(source.role == Role.COBO for source in setup.data_sources)
    if 1 <= cobos <= easy_setup.MAX_COBOS:
        found["cobos"] = cobos
    mutants = [source for source in setup.data_sources if source.role == Role.MUTANT]
    found["mutant"] = easy_setup.NO_MUTANT
    if mutants:
        found["mutant"] = easy_setup.READOUT if mutants[0].data_router else easy_setup.NO_READOUT
    found |= {key: value for key in NODE_KEYS if (value := _same(setup.nodes, key)) is not None}
    found |= {key: value for key in ROUTER_KEYS if (value := _same(setup.data_routers, key)) is not None}
    found |= {name: value for key, name in SERVER_KEYS.items() if (value := _same(setup.ecc_servers, key)) is not None}
    return (
        found
        | _series("ecc", setup.ecc_servers, "port")
        | _series("router", setup.data_routers, "port")
        | _series("ssh", setup.nodes, "ssh_port")
    )


def _same(rows: Sequence[NodeEntry | ServerEntry | RouterEntry], key: str) -> str | None:
    """What all rows say, in a log file with {name} for the name of each; None where they differ."""
    texts = ((str(getattr(row, key)), row.name) for row in rows)
    said = {text.replace(name, "{name}") if key == NAMED else text for text, name in texts}
    return said.pop() if len(said) == 1 else None


def _series(name: str, rows: Sequence[NodeEntry | ServerEntry | RouterEntry], port: str) -> dict[str, Any]:
    """First address and port, and how they grow; nothing where they do so without a rule."""
    ports = [int(getattr(row, port)) for row in rows]
    hosts = [_number(row.host) for row in rows]
    found: dict[str, Any] = {}
    if (step := _step(ports)) is not None:
        found |= {f"{name}_port": ports[0], f"{name}_port_step": step}
    if rows and len({row.host for row in rows}) == 1:
        found |= {f"{name}_host": rows[0].host, f"{name}_host_step": 0}
    elif rows and None not in hosts and (step := _step([number for number in hosts if number is not None])) is not None:
        found |= {f"{name}_host": rows[0].host, f"{name}_host_step": step}
    return found


def _number(host: str) -> int | None:
    try:
        return int(IPv4Address(host))
    except AddressValueError:
        return None


def _step(numbers: Sequence[int]) -> int | None:
    steps = {after - before for before, after in pairwise(numbers)}
    if not numbers or len(steps) > 1:
        return None
    return steps.pop() if steps else 1
