"""Run control over real sockets: a simulated CoBo with its ECC server, data router and node, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import asyncssh
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.gateways.node_agent import NodeAgent
from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.live import store
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.restarts import request_restart
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.doing.restarting import execute_restart
from attpcdaq.runcontrol.models import Command, Restart
from attpcdaq.runlog.models import Experiment
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology import wiring
from attpcdaq.topology.models import Access, DataRouter, ECCServer, Node
from get_protocol.ecc_messages import StateReply
from get_simulator.clock import SystemClock
from get_simulator.description_file import describe
from get_simulator.detector import Detector
from get_simulator.faults import Fault, FaultKind
from tests.live.writing import writing_term
from tests.runcontrol.rig import SHIFTER

SERVER, ROUTER, NODE = "ecc-cobo0", "router-cobo0", "node-cobo0"
LIMIT = 10.0
FREE_PORTS = {"ecc_port": 0, "data_port": 0, "ssh_port": 0, "agent_port": 0, "control_port": 0}


def _rows() -> tuple[ECCServer, DataRouter]:
    return ECCServer.objects.get(), DataRouter.objects.select_related("node").prefetch_related("node__host_keys").get()


def _record(server: ECCServer, state: Any, router: DataRouter, reading: Any) -> None:
    now = timezone.now()
    for row, said, write, write_problem in (
        (server, state, store.record_ecc, store.record_ecc_problem),
        (router, reading, store.record_router, store.record_router_problem),
    ):
        if isinstance(said, GatewayError):
            write_problem(row.pk, str(said), now)
        else:
            write(row.pk, said, now)
    store.touch([server.pk], [router.pk], now, writing_term())


class Simulated:
    """The detector, the rows that name it, and a monitor's look at it; its node is reached by `access`."""

    def __init__(self, data: Path, access: str = Access.SSH) -> None:
        self._access = access
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._key, self._known_hosts = data / "key", data / "known_hosts"
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(self._key))
        key.write_public_key(str(data / "authorized_keys"))
        self.detector = self.there(self._started(data))
        self._make_rows()
        self.look()

    async def _started(self, data: Path) -> Detector:
        tables = {
            "detector": {"cobos": 1, "mutant": "none", "agents": int(self._access == Access.AGENT)} | FREE_PORTS,
            "timing": {"speed": 50.0},
            "ssh": {"user": "attpc", "authorized_keys": str(data / "authorized_keys")},
        }
        detector = Detector(describe(tables), data, SystemClock())
        await detector.start()
        assert detector.host_key is not None
        public = detector.host_key.export_public_key().decode()
        self._known_hosts.write_text(f"[127.0.0.1]:{detector.nodes[NODE].port} {public}")
        return detector

    def _make_rows(self) -> None:
        build_detector(cobos=1, mutant=False)
        Experiment.objects.create(name="e20009", is_active=True)
        ECCServer.objects.update(port=self.detector.ecc_servers[SERVER].port, deadlines={"configure": 2})
        DataRouter.objects.update(port=self.detector.routers[ROUTER].port)
        port = self.detector.nodes[NODE].port
        if self._access == Access.AGENT:
            Node.objects.update(access=self._access, agent_port=port, restart_ecc="", restart_router="")
            ECCServer.objects.update(config_dir="", backup_dir="")
        Node.objects.update(ssh_port=port)

    def there(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the simulator's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT)

    def fault(self, target: str, kind: FaultKind, **more: Any) -> None:
        async def set_fault() -> None:
            self.detector.set_fault(Fault(target, kind, **more))

        self.there(set_fault())

    def outside(self) -> Outside:
        return Outside(EccSoap(), self._nodes(), sleep=self._sleep)

    def _nodes(self) -> NodesByAccess:
        known = self._known_hosts if self._known_hosts.exists() else None
        return NodesByAccess(NodeSsh(SshIdentity("attpc", self._key, known)), NodeAgent())

    def forget_host_keys(self) -> None:
        """There is no known_hosts file any more."""
        self._known_hosts.unlink()

    def show_another_key(self) -> None:
        """Somebody installs the node anew."""
        self.detector.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.there(self.detector.restart(NODE))

    async def _sleep(self, seconds: float) -> None:
        await self._look()
        await asyncio.sleep(min(seconds, 0.1))

    def look(self) -> StateReply | None:
        """What the monitor does in one round; what the ECC server said."""
        return async_to_sync(self._look)()

    def look_until(self, seen: Callable[[], bool]) -> None:
        """Look again and again over one connection, as the monitor does, until `seen()`."""
        async_to_sync(self._look_until)(seen)

    async def _look_until(self, seen: Callable[[], bool]) -> None:
        nodes = self._nodes()
        async with asyncio.timeout(LIMIT):
            while not await sync_to_async(seen)():
                await self._look_by(nodes)
        await nodes.close()

    async def _look(self) -> StateReply | None:
        nodes = self._nodes()
        state = await self._look_by(nodes)
        await nodes.close()
        return state

    async def _look_by(self, nodes: NodesByAccess) -> StateReply | None:
        server, router = await sync_to_async(_rows)()
        state, readings = await asyncio.gather(
            EccSoap().get_state(wiring.ecc_address(server), LIMIT),
            nodes.read_routers(wiring.node_address(router.node), [wiring.router_query(router)], LIMIT),
            return_exceptions=True,
        )
        reading = readings if isinstance(readings, BaseException) else readings[router.name]
        await sync_to_async(_record)(server, state, router, reading)
        return state if isinstance(state, StateReply) else None

    def frames_come(self) -> None:
        """Wait until the data router has written more frames than now."""

        async def growing() -> None:
            router = self.detector.routers[ROUTER]
            before = router.frames_written
            async with asyncio.timeout(LIMIT):
                # The simulator is another package and rings no bell of ours for a frame.
                while router.frames_written == before:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        self.there(growing())

    def do(self, action: str, **more: Any) -> Command:
        """Request and carry out, as a worker would."""
        self.look()
        command = commands.request(action, None, SHIFTER, **more)
        assert execute(command.pk, self.outside)
        self.look()
        command.refresh_from_db()
        return command

    def restart(self, kind: str, name: str, **more: Any) -> Restart:
        """The same for a restart."""
        asked = request_restart(kind, name, SHIFTER, **more)
        assert execute_restart(asked.pk, self.outside)
        self.look()
        asked.refresh_from_db()
        return asked

    def close(self) -> None:
        self.there(self.detector.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)
        self._loop.close()
