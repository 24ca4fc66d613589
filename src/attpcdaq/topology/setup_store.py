"""A setup read from the tables and written into them; rows keep their ids by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from attpcdaq.topology.models import ConfigSet, DataRouter, DataSource, ECCServer, Node, SeenHostKey
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SourceEntry, config_after
from attpcdaq.topology.setup_edit import Renaming
from get_protocol.config_set import ConfigId

M = TypeVar("M", Node, ECCServer, DataRouter)
NAMED: Mapping[str, type[Node | ECCServer | DataRouter]] = {
    "node": Node,
    "ecc_server": ECCServer,
    "data_router": DataRouter,
}
PARKED = "being-moved"


def read() -> Setup:
    """The setup that the tables hold now."""
    servers = ECCServer.objects.select_related("node", "config_set")
    routers = DataRouter.objects.select_related("node")
    sources = DataSource.objects.select_related("ecc_server", "data_router")
    return Setup(
        tuple(_node_entry(row) for row in Node.objects.all()),
        tuple(_server_entry(row) for row in servers),
        tuple(_router_entry(row) for row in routers),
        tuple(_source_entry(row) for row in sources),
    )


def _node_entry(row: Node) -> NodeEntry:
    return NodeEntry(
        name=row.name,
        host=row.host,
        access=str(row.access),
        agent_port=row.agent_port,
        ssh_port=row.ssh_port,
        ssh_user=row.ssh_user,
        restart_ecc=row.restart_ecc,
        restart_router=row.restart_router,
    )


def _server_entry(row: ECCServer) -> ServerEntry:
    return ServerEntry(
        name=row.name,
        node=row.node.name,
        host=row.host,
        port=row.port,
        describe_name=row.describe_name,
        config_dir=row.config_dir,
        backup_dir=row.backup_dir,
        log_file=row.log_file,
        config=_config_id(row),
        deadlines=row.deadlines,
    )


def _config_id(row: ECCServer) -> ConfigId | None:
    chosen = row.config_set
    return ConfigId(chosen.describe, chosen.prepare, chosen.configure) if chosen else None


def _router_entry(row: DataRouter) -> RouterEntry:
    return RouterEntry(
        name=row.name,
        node=row.node.name,
        host=row.host,
        staging_dir=row.staging_dir,
        port=row.port,
        link_type=str(row.link_type),
        process_name=row.process_name,
        log_file=row.log_file,
    )


def _source_entry(row: DataSource) -> SourceEntry:
    router = row.data_router.name if row.data_router else ""
    return SourceEntry(row.sender_id, str(row.role), row.ecc_server.name, router)


@transaction.atomic
def write(setup: Setup, renaming: Renaming | None = None) -> None:
    """Make the tables say `setup` (already checked); rows of the same name keep ids, live state and config sets."""
    if renaming is not None and renaming.kind in NAMED:
        NAMED[renaming.kind].objects.filter(name=renaming.was).update(name=renaming.now)
    DataSource.objects.all().delete()
    _remove(ECCServer.objects.all(), setup.ecc_servers)
    _remove(DataRouter.objects.all(), setup.data_routers)
    _forget_seen_keys(setup.nodes)
    nodes = _put(Node, setup.nodes, _node_fields)
    _park_addresses(ECCServer)
    _park_addresses(DataRouter)
    servers = _put(ECCServer, setup.ecc_servers, lambda entry: _server_fields(entry, nodes))
    routers = _put(DataRouter, setup.data_routers, lambda entry: _router_fields(entry, nodes))
    DataSource.objects.bulk_create(
        DataSource(
            sender_id=entry.sender_id,
            role=entry.role,
            ecc_server=servers[entry.ecc_server],
            data_router=routers[entry.data_router] if entry.data_router else None,
        )
        for entry in setup.data_sources
    )
    for entry in setup.ecc_servers:
        _choose(servers[entry.name], entry)
    _remove(Node.objects.all(), setup.nodes)


def _remove(rows: QuerySet[Any], kept: Sequence[NodeEntry | ServerEntry | RouterEntry]) -> None:
    rows.exclude(name__in=[entry.name for entry in kept]).delete()


def _forget_seen_keys(nodes: Sequence[NodeEntry]) -> None:
    """What was shown at another address is no key to pin; what an expert pinned stays, and does not fit there."""
    for entry in nodes:
        elsewhere = SeenHostKey.objects.filter(node__name=entry.name)
        elsewhere.exclude(node__host=entry.host, node__ssh_port=entry.ssh_port, node__access=entry.access).delete()


def _park_addresses(model: type[ECCServer] | type[DataRouter]) -> None:
    """Two servers may swap addresses, which are unique: move every one away first."""
    for pk in model.objects.values_list("pk", flat=True):
        model.objects.filter(pk=pk).update(host=f"{PARKED}-{pk}")


def _put(model: type[M], entries: Sequence[Any], fields: Callable[[Any], dict[str, Any]]) -> dict[str, M]:
    rows = (
        model._default_manager.update_or_create(name=entry.name, defaults={"host": entry.host, **fields(entry)})[0]
        for entry in entries
    )
    return {row.name: row for row in rows}


def _node_fields(entry: NodeEntry) -> dict[str, Any]:
    return {
        "access": entry.access,
        "agent_port": entry.agent_port,
        "ssh_port": entry.ssh_port,
        "ssh_user": entry.ssh_user,
        "restart_ecc": entry.restart_ecc,
        "restart_router": entry.restart_router,
    }


def _server_fields(entry: ServerEntry, nodes: dict[str, Node]) -> dict[str, Any]:
    return {
        "node": nodes[entry.node],
        "port": entry.port,
        "describe_name": entry.describe_name,
        "config_dir": entry.config_dir,
        "backup_dir": entry.backup_dir,
        "log_file": entry.log_file,
        "deadlines": dict(entry.deadlines),
    }


def _router_fields(entry: RouterEntry, nodes: dict[str, Node]) -> dict[str, Any]:
    return {
        "node": nodes[entry.node],
        "port": entry.port,
        "link_type": entry.link_type,
        "staging_dir": entry.staging_dir,
        "process_name": entry.process_name,
        "log_file": entry.log_file,
    }


def _choose(server: ECCServer, entry: ServerEntry) -> None:
    """Take the file's choice, or keep the old one where it still fits."""
    wanted = config_after(entry, _config_id(server))
    row = None
    if wanted is not None:
        # Not listed until the server itself says so.
        row, _ = ConfigSet.objects.get_or_create(ecc_server=server, **asdict(wanted), defaults={"listed": False})
    ECCServer.objects.filter(pk=server.pk).update(config_set=row)
