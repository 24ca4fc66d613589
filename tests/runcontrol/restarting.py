"""Restarts in memory, as the tests ask for them and carry them out."""

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.gateways.ports import CommandResult
from attpcdaq.runcontrol.asking.restarts import request_restart
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.doing.restarting import execute_restart
from attpcdaq.runcontrol.models import Restart
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runcontrol.watching.sweep import look_after_restarts
from tests.runcontrol.rig import SHIFTER, Rig

EXPERT = Requester("expert", role="expert", origin="192.168.4.7")
COBO0 = "systemctl restart ecc-cobo0"
ROUTER0 = "systemctl restart router-cobo0"


def ask(rig: Rig, kind: str = "ecc", name: str = "ecc-cobo0", by: Requester = SHIFTER, **more) -> Restart:
    return request_restart(kind, name, by, now=rig.time.now(), **more)


def outside(rig: Rig) -> Outside:
    """Nobody else looks at the hardware meanwhile."""
    return Outside(rig.ecc, rig.nodes, rig.time.now, rig.time.sleep, rig.time.monotonic)


def restart(rig: Rig, kind: str = "ecc", name: str = "ecc-cobo0", **more) -> Restart:
    """Request and carry out, as a worker would."""
    asked = ask(rig, kind, name, **more)
    assert execute_restart(asked.pk, lambda: outside(rig))
    asked.refresh_from_db()
    rig.look()
    return asked


def answer(rig: Rig, command: str, result: CommandResult, node: str = "node-cobo0") -> None:
    rig.nodes.teach(node, command, lambda: result)


def commands_run(rig: Rig, node: str = "node-cobo0") -> list[str]:
    return rig.nodes.nodes[node].commands_run


def trail_of(row: Restart) -> list[tuple[str, str, str]]:
    return [(e.who, e.what, e.outcome) for e in Entry.objects.filter(command=row.pk).order_by("id")]


class Rounds:
    """The rounds of a sweeper, twice a second."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._eyes = Eyes(rig.time.monotonic)

    def one(self) -> None:
        self._eyes.open()
        look_after_restarts(self._rig.time.now(), self._eyes)

    def for_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.one()
            self._rig.time.elapsed += 0.5
