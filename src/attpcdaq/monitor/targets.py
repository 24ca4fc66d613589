"""The rows of the topology as things to watch."""

from typing import Any

from attpcdaq.monitor.readings import EccTarget, NodeTarget, RouterTarget, Targets
from attpcdaq.topology.models import DataRouter, ECCServer, HostKey, Node
from attpcdaq.topology.wiring import ecc_address, node_address, router_query

# Everything that the rows below are made of, in plain values: comparing them costs a fraction of making models.
WATCHED = (
    ECCServer.objects.order_by("pk").values_list("pk", "name", "host", "port"),
    Node.objects.order_by("pk").values_list("pk", "name", "host", "access", "agent_port", "ssh_port", "ssh_user"),
    DataRouter.objects.order_by("pk").values_list(
        "pk", "node_id", "name", "process_name", "port", "staging_dir", "log_file"
    ),
    HostKey.objects.order_by("pk").values_list("pk", "node_id", "key"),
)


class TargetReader:
    """Reads them again and again; the same rows give the very same targets."""

    def __init__(self) -> None:
        self._rows: tuple[list[tuple[Any, ...]], ...] | None = None
        self._targets = Targets()

    def read(self) -> Targets:
        """Four small queries where nothing has changed; equal values mean that nothing did."""
        rows = tuple(list(query.all()) for query in WATCHED)
        if rows != self._rows:
            self._targets = _read()
            self._rows = rows
        return self._targets


def _read() -> Targets:
    servers = tuple(EccTarget(server.pk, ecc_address(server)) for server in ECCServer.objects.order_by("pk"))
    nodes = Node.objects.order_by("pk").prefetch_related("data_routers", "host_keys")
    return Targets(servers, tuple(target for node in nodes if (target := _node(node)).routers))


def _node(node: Node) -> NodeTarget:
    routers = tuple(RouterTarget(router.pk, router_query(router)) for router in node.data_routers.all())
    return NodeTarget(node.pk, node_address(node), routers)
