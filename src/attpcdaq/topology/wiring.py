"""Rows of the topology as the values which gateways and the protocol take."""

from collections.abc import Callable

from attpcdaq.gateways.ports import EccAddress, NodeAddress, RouterQuery
from attpcdaq.gateways.resolve import numeric_address
from attpcdaq.topology.models import Access, DataRouter, ECCServer, Node
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, LinkType


def ecc_address(server: ECCServer) -> EccAddress:
    return EccAddress(server.name, server.host, server.port)


def node_address(node: Node) -> NodeAddress:
    """Where a node is reached, with the host keys pinned for it (prefetch them where many nodes are asked for)."""
    if node.access == Access.AGENT:
        return NodeAddress(node.name, node.host, node.agent_port, access="agent")
    pinned = tuple(row.key for row in node.host_keys.all())
    return NodeAddress(node.name, node.host, node.ssh_port, node.ssh_user, "ssh", pinned)


def router_query(router: DataRouter) -> RouterQuery:
    return RouterQuery(router.name, router.process_name, router.port, router.staging_dir, router.log_file)


def config_id(server: ECCServer) -> ConfigId | None:
    """The chosen configuration; None when nothing was chosen."""
    chosen = server.config_set
    return ConfigId(chosen.describe, chosen.prepare, chosen.configure) if chosen else None


def data_links(server: ECCServer, resolve: Callable[[str], str] = numeric_address) -> tuple[DataLink, ...]:
    """One link, with a numeric address, for each board that has a router. Unreachable for unknown host names."""
    sources = server.data_sources.select_related("data_router")
    return tuple(
        DataLink(source.sender_id, router.name, resolve(router.host), router.port, LinkType(router.link_type))
        for source in sources
        if (router := source.data_router) is not None
    )
