"""`manage.py monitor` as it runs, before a simulated detector over real sockets."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.ports import EccAddress
from get_protocol.config_set import ConfigId
from get_protocol.state_machine import State, Transition
from tests.gateways.fault_server import Proxy, serving
from tests.monitor.running import Site, end, site, until
from tests.services.postgresql import PostgreSQL

# It promises 2 s; a machine that runs other tests beside it may double that. A hung node would take 5 s.
ENDS_WITHIN = 4.0

STATES = "SELECT name, state, problem FROM live_eccstate JOIN topology_eccserver ON ecc_server_id = id ORDER BY name"
BEAT = "SELECT at FROM live_monitorlease"
DELETE_ONE = """
import django; django.setup()
from attpcdaq.topology.models import ECCServer
ECCServer.objects.filter(name="ecc-cobo0").delete()
"""
ROUTERS = "SELECT online, files, problem FROM live_routerstate ORDER BY data_router_id"


pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("site")) as made:
        yield made


def control(place: Site, method: str, path: str, body: object = None) -> None:
    """One call of the simulator's control port."""
    url = f"http://127.0.0.1:{place.announced['control']}{path}"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method=method), timeout=10).close()


async def describe(place: Site, number: int) -> None:
    server = place.announced["ecc_servers"][number]
    config = ConfigId(f"cobo{number}", "experiment", "experiment")
    address = EccAddress(server["name"], server["address"], server["port"])
    await EccSoap().transition(address, Transition.DESCRIBE, config, (), 10.0)


def test_it_ends_soon_whatever_hangs(place: Site) -> None:
    with place.monitor() as process:
        until(lambda: place.rows(ROUTERS) == [(1, 0, ""), (1, 0, "")])
        control(place, "POST", "/faults", {"target": "ecc-cobo0", "fault": "hang", "operation": "GetState"})
        control(place, "POST", "/faults", {"target": "node-cobo0", "fault": "hang"})
        until(lambda: "no answer within" in place.rows(STATES)[0][2])
        until(lambda: "no answer within" in place.rows(ROUTERS)[0][2])
        assert end(process, signal.SIGTERM) < ENDS_WITHIN
        assert process.exit_status() == 0, process.last_words()
    with place.monitor() as process:
        before = place.rows(BEAT)
        until(lambda: place.rows(BEAT) > before)
        assert end(process, signal.SIGINT) < ENDS_WITHIN
        assert process.exit_status() == 0, process.last_words()
    control(place, "DELETE", "/faults")


def test_it_sees_what_happens_and_follows_the_setup(place: Site) -> None:
    with place.monitor():
        until(lambda: place.rows(STATES) == [("ecc-cobo0", State.IDLE, ""), ("ecc-cobo1", State.IDLE, "")])
        until(lambda: place.rows(ROUTERS) == [(1, 0, ""), (1, 0, "")])
        asyncio.run(describe(place, 1))
        assert until(lambda: ("ecc-cobo1", State.DESCRIBED, "") in place.rows(STATES)) < 2.0
        control(place, "POST", "/faults", {"target": "ecc-cobo0", "fault": "die"})
        until(lambda: "connection refused" in place.rows(STATES)[0][2])
        assert place.rows(STATES)[0][1] == State.IDLE, "the last good answer stays"
        place.python("-c", DELETE_ONE)
        until(lambda: [row[0] for row in place.rows(STATES)] == ["ecc-cobo1"])
        before = place.rows(BEAT)
        until(lambda: place.rows(BEAT) > before)


async def test_it_outlives_its_database(postgresql: PostgreSQL, tmp_path: Path) -> None:
    """PostgreSQL through a proxy that goes away and comes back at the same port."""
    postgresql.create_database("monitor_outage")
    proxy = Proxy(postgresql.port)
    async with serving(proxy.behave) as server:
        url = postgresql.url("monitor_outage").replace(f":{postgresql.port}/", f":{server.port}/")
        loop = asyncio.get_running_loop()

        def told(order: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(order)

        await asyncio.to_thread(_outage, postgresql.url("monitor_outage"), url, tmp_path, proxy, told)


def _outage(
    direct: str, through: str, directory: Path, proxy: Proxy, told: Callable[[Callable[[], None]], None]
) -> None:
    with psycopg.connect(direct, autocommit=True) as eyes, site(directory, database_url=through) as place:

        def states() -> list[int]:
            return [row[0] for row in eyes.execute("SELECT state FROM live_eccstate ORDER BY 1")]

        with place.monitor() as process:
            until(lambda: states() == [State.IDLE, State.IDLE])
            told(proxy.refuse)
            until(lambda: "cannot be written" in process.log.read_text())
            asyncio.run(describe(place, 0))
            asyncio.run(describe(place, 1))
            told(proxy.accept)
            until(lambda: states() == [State.DESCRIBED, State.DESCRIBED])
            until(lambda: "the database is back" in process.log.read_text())
            assert process.log.read_text().count("cannot be written") == 1
            told(proxy.stop)  # from now on it hangs instead
            assert end(process, signal.SIGTERM) < ENDS_WITHIN


def test_a_missing_setting_stops_the_start(tmp_path: Path) -> None:
    place = Site(tmp_path, {"ATTPCDAQ_SECRET_KEY": "x" * 40})
    with place.monitor() as process:
        until(lambda: process.exit_status() is not None)
        assert "ATTPCDAQ_DATABASE_URL is missing" in process.last_words()
