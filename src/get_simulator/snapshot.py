"""What every part really does, as JSON for the control port."""

from typing import Any

from get_simulator.board import Board
from get_simulator.data_router import DataRouter
from get_simulator.detector import Detector
from get_simulator.ecc_server import EccServer

RECENT_TRANSITIONS = 200
RECENT_FILES = 40
"""Of each data router; the counts above them are of all."""


def snapshot(detector: Detector) -> dict[str, Any]:
    """The truth about everything now; `transitions` are the newest (the rest is in the journal)."""
    now = detector.clock.now()
    return {
        "now": now,
        "seq": detector.journal.last_seq,
        "speed": detector.pace.speed,
        "event_rate": detector.pace.event_rate,
        "events": detector.trigger.events,
        "ecc_servers": [_ecc_server(server) for server in detector.ecc_servers.values()],
        "boards": [_board(board, now) for board in detector.boards.values()],
        "data_routers": [_router(router) for router in detector.routers.values()],
        "nodes": [
            {"name": name, "alive": ssh.alive, "connections": len(ssh.connections)}
            for name, ssh in detector.nodes.items()
        ],
        "faults": [fault.as_json() for fault in detector.faults.faults],
        "transitions": [entry.as_json() for entry in detector.journal.since(0, "transition")[-RECENT_TRANSITIONS:]],
    }


def _ecc_server(server: EccServer) -> dict[str, Any]:
    service = server.service
    reply = service.state_reply()
    return {
        "name": server.spec.name,
        "alive": server.alive,
        "state": int(reply.state),
        "state_name": reply.state.name.lower(),
        "transition": int(reply.transition),
        "config": dict(service.session.names),
        "boards": [one.board.sender for one in service.session.driven],
        "calls": dict(service.calls),
    }


def _board(board: Board, now: float) -> dict[str, Any]:
    return {
        "name": board.sender,
        "alive": board.alive,
        "described": board.described,
        "configured": board.settings is not None,
        "connected": board.uplink is not None,
        "link_type": board.uplink.link_type if board.uplink else None,
        "running": board.sending,
        "paused": board.paused,
        "sending": board.active(now),
        "starts": board.starts,
        "events": board.events,
        "next_event": board.number,
        "frames_sent": board.frames_sent,
        "frames_lost": board.frames_lost,
        "bytes_sent": board.bytes_sent,
    }


def _router(router: DataRouter) -> dict[str, Any]:
    written, size = router.files
    newest = list(written)[-RECENT_FILES:]
    return {
        "name": router.spec.name,
        "alive": router.alive,
        "listening": router.listening,
        "connected": router.has_connection,
        "frames_written": router.frames_written,
        "bytes_written": router.bytes_written,
        "frames_dropped": router.frames_dropped,
        "frames_silenced": router.frames_silenced,
        "files": [{"name": name, "frames": written[name], "bytes": size[name]} for name in newest],
    }
