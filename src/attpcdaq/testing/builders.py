"""Rows of a detector, and twins that stand where those rows point."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from attpcdaq.gateways.ports import CommandResult
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology.models import ConfigSet, DataRouter, DataSource, ECCServer, LinkType, Node, Role
from get_protocol.config_set import ConfigId

FIRST_ECC_PORT = 18083
FIRST_DATA_PORT = 46005
FIRST_SSH_PORT = 18022
STAGING = "/staging"
CONFIGS = "/configs"
BACKUP = "/config_backup"
RESTART = "systemctl restart {name}"
CONFIGURE_NAMES = ("experiment", "fullreadout")


@dataclass(frozen=True, slots=True)
class Detector:
    """The rows made, in the order of their ids."""

    nodes: tuple[Node, ...]
    ecc_servers: tuple[ECCServer, ...]
    data_routers: tuple[DataRouter, ...]
    data_sources: tuple[DataSource, ...]


def build_detector(
    *,
    cobos: int = 2,
    mutant: bool = True,
    mutant_readout: bool = True,
    one_for_all: bool = False,
    configured: bool = True,
) -> Detector:
    """Rows as Easy setup makes them: a node, a router and (unless one_for_all) an ECC server per board."""
    boards = [(f"cobo{number}", f"CoBo[{number}]", Role.COBO) for number in range(cobos)]
    boards += [("mutant", "Mutant[master]", Role.MUTANT)] if mutant else []
    nodes = [_node(short, number) for number, (short, _, _) in enumerate(boards)]
    short_names = ["all"] if one_for_all else [short for short, _, _ in boards]
    servers = [_server(short, nodes[number], number) for number, short in enumerate(short_names)]
    sources = [
        DataSource.objects.create(
            sender_id=sender,
            role=role,
            ecc_server=servers[0 if one_for_all else number],
            data_router=_router(short, nodes[number], number) if role == Role.COBO or mutant_readout else None,
        )
        for number, (short, sender, role) in enumerate(boards)
    ]
    for server in servers:
        _config_sets(server, short_names, configured)
    routers = [source.data_router for source in sources if source.data_router is not None]
    return Detector(tuple(nodes), tuple(servers), tuple(routers), tuple(sources))


def memory_ecc(detector: Detector, ecc: MemoryEcc | None = None) -> MemoryEcc:
    """ECC servers in memory where the rows point, all Idle."""
    ecc = ecc or MemoryEcc()
    for server in detector.ecc_servers:
        sources = [source for source in detector.data_sources if source.ecc_server_id == server.pk]
        ecc.add(
            server.name,
            [source.sender_id for source in sources],
            needs_links=[source.sender_id for source in sources if source.data_router_id is not None],
            config_ids=[ConfigId(row.describe, row.prepare, row.configure) for row in server.config_sets.all()],
        )
    return ecc


def memory_nodes(detector: Detector, nodes: MemoryNodes | None = None) -> MemoryNodes:
    """Nodes in memory where the rows point: routers run, staging is clean, the config files are there."""
    nodes = nodes or MemoryNodes()
    for node in detector.nodes:
        nodes.add(node.name)
    for router in detector.data_routers:
        nodes.make_directory(router.node.name, router.staging_dir)
        nodes.start_router(router.node.name, router.port)
    for server in detector.ecc_servers:
        nodes.make_directory(server.node.name, server.backup_dir)
        for row in server.config_sets.all():
            for name in (f"describe-{row.describe}.xcfg", f"configure-{row.configure}.xcfg"):
                nodes.write(server.node.name, f"{server.config_dir}/{name}", f"<!-- {name} -->\n".encode(), mtime=0.0)
    return nodes


def teach_restarts(detector: Detector, ecc: MemoryEcc, nodes: MemoryNodes) -> None:
    """Let the restart commands of the rows work: a new process stands where the old one was."""

    def restart_router(router: DataRouter) -> CommandResult:
        nodes.start_router(router.node.name, router.port)
        return CommandResult(0, "")

    def restart_server(server: ECCServer) -> CommandResult:
        ecc.restart(server.name)
        return CommandResult(0, "")

    for server in detector.ecc_servers:
        nodes.teach(server.node.name, RESTART.format(name=server.name), partial(restart_server, server))
    for router in detector.data_routers:
        nodes.teach(router.node.name, RESTART.format(name=router.name), partial(restart_router, router))


def _node(short: str, number: int) -> Node:
    return Node.objects.create(
        name=f"node-{short}",
        host="127.0.0.1",
        ssh_port=FIRST_SSH_PORT + number,
        restart_ecc=RESTART,
        restart_router=RESTART,
    )


def _server(short: str, node: Node, number: int) -> ECCServer:
    return ECCServer.objects.create(
        name=f"ecc-{short}",
        node=node,
        host="127.0.0.1",
        port=FIRST_ECC_PORT + number,
        describe_name=short,
        config_dir=CONFIGS,
        backup_dir=BACKUP,
    )


def _router(short: str, node: Node, number: int) -> DataRouter:
    return DataRouter.objects.create(
        name=f"router-{short}",
        node=node,
        host="127.0.0.1",
        port=FIRST_DATA_PORT + number,
        link_type=LinkType.TCP,
        staging_dir=STAGING,
    )


def _config_sets(server: ECCServer, describes: Sequence[str], configured: bool) -> None:
    """What GetConfigIDs lists: every describe name x every configure name (facts 3)."""
    rows = ConfigSet.objects.bulk_create(
        ConfigSet(ecc_server=server, describe=describe, prepare=configure, configure=configure)
        for describe in describes
        for configure in CONFIGURE_NAMES
    )
    if configured:
        server.config_set = next(row for row in rows if row.describe == server.describe_name)
        server.save(update_fields=["config_set"])
