"""The rows of the topology as things to watch."""

from attpcdaq.monitor.readings import EccTarget, NodeTarget, RouterTarget, Targets
from attpcdaq.topology.models import ECCServer, Node
from attpcdaq.topology.wiring import ecc_address, node_address, router_query


def read_targets() -> Targets:
    """Four small queries; equal values mean that nothing changed."""
    servers = tuple(EccTarget(server.pk, ecc_address(server)) for server in ECCServer.objects.order_by("pk"))
    nodes = Node.objects.order_by("pk").prefetch_related("data_routers", "host_keys")
    return Targets(servers, tuple(target for node in nodes if (target := _node(node)).routers))


def _node(node: Node) -> NodeTarget:
    routers = tuple(RouterTarget(router.pk, router_query(router)) for router in node.data_routers.all())
    return NodeTarget(node.pk, node_address(node), routers)
