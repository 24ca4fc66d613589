"""The announce file: where everything listens, written when it does."""

import json
import os
from pathlib import Path
from typing import Any

from get_simulator.detector import Detector
from get_simulator.ecc_server import EccServer
from get_simulator.logs import log_path


def announcement(detector: Detector, control_port: int) -> dict[str, Any]:
    """Names, addresses and ports of all parts; paths are those seen on the nodes, `root` is where they really lie."""
    assert detector.host_key is not None
    return {
        "control": control_port,
        "ecc_servers": [_ecc_server(name, server) for name, server in detector.ecc_servers.items()],
        "data_routers": [
            {
                "name": name,
                "address": router.spec.address,
                "port": router.port,
                "link_type": router.spec.link_type,
                "node": router.spec.node,
                "staging": router.spec.staging,
                "program": router.spec.program,
            }
            for name, router in detector.routers.items()
        ],
        "nodes": [
            {
                "name": spec.name,
                "address": spec.address,
                "access": spec.access,
                f"{spec.access}_port": detector.nodes[spec.name].port,
                "root": str(detector.root(spec.name).resolve()),
            }
            for spec in detector.description.nodes
        ],
        "config_dir": "/configs",
        "log_file": log_path("{name}"),
        "ssh_user": detector.description.ssh.user,
        "host_key": detector.host_key.export_public_key().decode().strip(),
    }


def _ecc_server(name: str, server: EccServer) -> dict[str, Any]:
    spec = server.spec
    return {
        "name": name,
        "address": spec.address,
        "port": server.port,
        "boards": list(spec.boards),
        "node": spec.node,
    }


def write_announcement(path: Path, content: dict[str, Any]) -> None:
    """Write it in one step: a reader sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
