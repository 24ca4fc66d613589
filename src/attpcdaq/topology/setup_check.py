"""What the parts of a setup owe each other; every fault names the row and what is allowed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from attpcdaq.topology.models import Access, Role
from attpcdaq.topology.setup import Entry, NodeEntry, RouterEntry, ServerEntry, Setup, SourceEntry


def faults(setup: Setup) -> list[str]:
    """Everything that forbids this setup; empty when it may be used."""
    return [*missing(setup), *wrong(setup)]


def missing(setup: Setup) -> list[str]:
    """What forbids it only until another row is added."""
    return list(chain.from_iterable(check(setup) for check in (_empty, _used)))


def wrong(setup: Setup) -> list[str]:
    """What no further row can mend."""
    return list(chain.from_iterable(check(setup) for check in CHECKS))


def _empty(setup: Setup) -> Iterator[str]:
    if not setup.ecc_servers:
        yield "the setup names no ECC server; at least one is needed"


def _twice(kind: str, key: str, found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """`found`: (value that must be unique, the row it belongs to)."""
    seen: dict[str, str] = {}
    for value, owner in found:
        if value in seen:
            yield f"{kind} {owner}: {key} {value} is already that of {seen[value]}; each must have its own"
        seen.setdefault(value, owner)


def _names(setup: Setup) -> Iterator[str]:
    parts: dict[str, Sequence[Entry]] = {
        "node": setup.nodes,
        "ecc_server": setup.ecc_servers,
        "data_router": setup.data_routers,
    }
    for kind, entries in parts.items():
        yield from _twice(kind, "name", ((entry.name, f"number {index}") for index, entry in enumerate(entries, 1)))
    yield from _twice(
        "data_source", "sender_id", ((e.sender_id, f"number {index}") for index, e in enumerate(setup.data_sources, 1))
    )


def _addresses(setup: Setup) -> Iterator[str]:
    servers: tuple[ServerEntry | RouterEntry, ...] = (*setup.ecc_servers, *setup.data_routers)
    yield from _twice("address of", "host and port", ((f"{entry.host}:{entry.port}", entry.name) for entry in servers))


def _references(setup: Setup) -> Iterator[str]:
    nodes = {node.name for node in setup.nodes}
    for server in setup.ecc_servers:
        yield from _missing(f"ecc_server {server.name}: node", server.node, nodes)
    for router in setup.data_routers:
        yield from _missing(f"data_router {router.name}: node", router.node, nodes)
    servers = {entry.name for entry in setup.ecc_servers}
    routers = {entry.name for entry in setup.data_routers}
    for source in setup.data_sources:
        yield from _missing(f"data_source {source.sender_id}: ecc_server", source.ecc_server, servers)
        if source.data_router:
            yield from _missing(f"data_source {source.sender_id}: data_router", source.data_router, routers)


def _missing(where: str, name: str, known: set[str]) -> Iterator[str]:
    if name not in known:
        yield f"{where} {name} does not exist; known: {', '.join(sorted(known - {''})) or 'none'}"


def _sources(setup: Setup) -> Iterator[str]:
    linked = [source for source in setup.data_sources if source.data_router]
    yield from _twice("data_source", "data_router", ((source.data_router, source.sender_id) for source in linked))
    for source in setup.data_sources:
        if source.role == Role.COBO and not source.data_router:
            yield f"data_source {source.sender_id}: a CoBo needs a data_router; only a MuTAnT may be without"
    yield from _twice("data_source", "role", _mutants(setup.data_sources))


def _mutants(sources: Iterable[SourceEntry]) -> Iterator[tuple[str, str]]:
    return ((source.role, source.sender_id) for source in sources if source.role == Role.MUTANT)


def _used(setup: Setup) -> Iterator[str]:
    driving = {source.ecc_server for source in setup.data_sources}
    receiving = {source.data_router for source in setup.data_sources}
    for server in setup.ecc_servers:
        if server.name not in driving:
            yield f"ecc_server {server.name} drives no board; add a data source with its role, or remove it"
    for router in setup.data_routers:
        if router.name not in receiving:
            yield f"data_router {router.name} receives from no board; name it in a data source, or remove it"


def _staging(setup: Setup) -> Iterator[str]:
    # Two nodes may be one computer; what counts is where the directory really lies.
    computers = {node.name: f"{node.host}:{_port(node)}" for node in setup.nodes}
    places = ((f"{computers.get(r.node, r.node)}:{r.staging_dir.rstrip('/')}", r.name) for r in setup.data_routers)
    yield from _twice("data_router", "computer and staging_dir", places)


def _port(node: NodeEntry) -> int:
    return node.agent_port if node.access == Access.AGENT else node.ssh_port


def _agents(setup: Setup) -> Iterator[str]:
    """What an HTTP agent cannot do is not asked of it: it watches one data router, and no other file or command."""
    agents = {node.name for node in setup.nodes if node.access == Access.AGENT}
    watched = [router for router in setup.data_routers if router.node in agents]
    yield from _twice("data_router", "node (whose HTTP agent watches one only)", ((r.node, r.name) for r in watched))
    for node in setup.nodes:
        yield from _beyond_agent(f"node {node.name}", node.name in agents, node, ("restart_ecc", "restart_router"))
    for server in setup.ecc_servers:
        keys = ("config_dir", "backup_dir", "log_file")
        yield from _beyond_agent(f"ecc_server {server.name}", server.node in agents, server, keys)
    for router in watched:
        yield from _beyond_agent(f"data_router {router.name}", True, router, ("log_file",))


def _beyond_agent(where: str, through_agent: bool, entry: Entry, keys: Sequence[str]) -> Iterator[str]:
    for key in keys if through_agent else ():
        if getattr(entry, key):
            yield f"{where}: {key} needs a node with access ssh; leave it out where the node's access is agent"


CHECKS: tuple[Callable[[Setup], Iterable[str]], ...] = (
    _names,
    _addresses,
    _references,
    _sources,
    _staging,
    _agents,
)
