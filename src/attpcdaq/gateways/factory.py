"""The real gateways with what the settings say; make them inside the event loop that uses them."""

from django.conf import settings

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.gateways.node_agent import NodeAgent
from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import EccPort, NodePort


def make_ecc() -> EccPort:
    return EccSoap()


def make_nodes() -> NodePort:
    ssh = NodeSsh(SshIdentity(settings.SSH_USER, settings.SSH_KEY, settings.SSH_KNOWN_HOSTS))
    return NodesByAccess(ssh, NodeAgent())
