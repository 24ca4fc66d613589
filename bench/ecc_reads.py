"""What reading ECC servers costs: one exchange, and the monitor that does nothing else."""

import asyncio
import statistics
import time

from attpcdaq.demo.detector import announced
from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.ports import EccAddress
from bench import world as worlds
from bench.figures import Figure
from bench.processes import cpu_share

EXCHANGES, TRIALS = 500, 7
WATCHED_FOR = 10.0


def get_state_cpu() -> Figure:
    """CPU of this process per GetState, in ms; one after the other, as many trials as TRIALS."""
    with worlds.simulated(11) as world:
        servers = [
            EccAddress(one["name"], one["address"], one["port"]) for one in announced(world.place)["ecc_servers"]
        ]
        asyncio.run(_exchange(servers, EXCHANGES))
        return Figure(tuple(asyncio.run(_exchange(servers, EXCHANGES)) for _ in range(TRIALS)))


async def _exchange(servers: list[EccAddress], count: int) -> float:
    ecc = EccSoap()
    before = time.process_time()
    for number in range(count):
        await ecc.get_state(servers[number % len(servers)], 5.0)
    used = time.process_time() - before
    await ecc.close()
    return used / count * 1000


def monitor_cpu(servers: int, trials: int = 3) -> Figure:
    """Percent of a core which the monitor needs to read so many ECC servers and no nodes."""
    with worlds.simulated(servers) as world:
        worlds.set_up(world, routers=False)
        pid = world.start("monitor", _monitor())
        read = lambda: _reads(world)  # noqa: E731
        world.supervisor.wait_until(lambda: min(read().values()) > 2, 60, "the monitor to read every server")
        before, began = sum(read().values()), time.monotonic()
        shares = tuple(100 * cpu_share(lambda: [pid], WATCHED_FOR) for _ in range(trials))
        rate = (sum(read().values()) - before) / (time.monotonic() - began) / servers
        return Figure(
            shares,
            f"{rate:.2f} readings a second of each of {servers} servers, {statistics.fmean(shares):.2f} % on average",
        )


def _monitor() -> list[str]:
    from attpcdaq.demo import programs

    return programs.monitor()


def _reads(world: worlds.World) -> dict[str, int]:
    """GetState calls which each simulated server has received."""
    return {one["name"]: one["calls"].get("GetState", 0) for one in world.system().truth()["ecc_servers"]}
