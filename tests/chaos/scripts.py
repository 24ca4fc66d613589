"""What the crew does in a cycle, with hands that do not know what will strike."""

from collections.abc import Awaitable, Callable, Mapping

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.wiring import config_id, ecc_address
from get_protocol.state_machine import Transition
from tests.chaos.crew import Crew
from tests.chaos.faults import Schedule, Script
from tests.chaos.processes import outside_all
from tests.chaos.virtual_time import sleep

STARTED_WITHIN = 30.0
CLOSED_WITHIN = 45.0
NOTICED = 14.0


async def plain(crew: Crew, schedule: Schedule) -> None:
    await crew.insist("start", 4.0)
    await crew.until_run("running", limit=STARTED_WITHIN)
    await sleep(schedule.running)
    await stop(crew)


async def stop(crew: Crew) -> None:
    await crew.insist("stop")
    await crew.until_run(limit=CLOSED_WITHIN)


async def start_many(crew: Crew, schedule: Schedule, presses: int) -> None:
    for _ in range(presses):
        crew.press("start")
        await sleep(schedule.wait / 1000)
    await crew.until_run("running", limit=STARTED_WITHIN)
    await sleep(schedule.running)
    await stop(crew)


async def stop_twice(crew: Crew, schedule: Schedule) -> None:
    crew.press("start")
    await crew.until_run("running", limit=STARTED_WITHIN)
    await sleep(schedule.running)
    crew.press("stop")
    await sleep(schedule.wait)
    await stop(crew)


async def stop_at_once(crew: Crew, schedule: Schedule) -> None:
    """Mostly within the tenth of a second that a Start takes."""
    crew.press("start")
    await sleep(schedule.wait**3 / 2)
    await stop(crew)


async def impatient(crew: Crew, schedule: Schedule) -> None:
    for action in ("start", "stop", "start", "start", "stop"):
        crew.press(action)
        await sleep(schedule.wait)
    await stop(crew)


async def breakup(crew: Crew, schedule: Schedule) -> None:
    crew.press("start")
    await crew.until_run("running", limit=STARTED_WITHIN)
    await sleep(schedule.running)
    crew.press("go_idle")
    await crew.until_quiet()


async def repair(crew: Crew, schedule: Schedule) -> None:
    crew.press("start")
    await crew.until_run("running", limit=STARTED_WITHIN)
    one = min(crew.world.servers)
    crew.press("stop", [one])
    await sleep(schedule.wait + 1.0)
    crew.press("start", [one])
    await sleep(schedule.running)
    await stop(crew)


async def foreign(crew: Crew, schedule: Schedule) -> None:
    """Another control program starts the boards behind our back; then they are adopted, or stopped."""

    async def theirs() -> None:
        for server in ECCServer.objects.order_by("name"):
            config = config_id(server)
            assert config is not None
            try:
                await crew.world.gear.ecc.transition(ecc_address(server), Transition.START, config, (), 5.0)
            except GatewayError as error:
                crew.say(f"somebody else: {error}")

    crew.say("somebody else starts the boards")
    outside_all(theirs, "another control program")
    await sleep(NOTICED if schedule.wait > 0.75 else 4.0)
    if schedule.running > 2.0:
        crew.adopt()
        await sleep(schedule.running)
    await stop(crew)


async def exclude(crew: Crew, schedule: Schedule) -> None:
    one = min(crew.world.servers)
    crew.exclude(one)
    await plain(crew, schedule)
    await crew.until_quiet()
    crew.include(one)


async def up_and_down(crew: Crew, schedule: Schedule) -> None:
    """The way up takes seconds: what it has not sent when Stop is pressed must not be sent any more."""
    crew.press("go_idle")
    await crew.until_quiet()
    await sleep(1.0)
    crew.press("go_ready")
    await sleep(schedule.wait)
    await crew.insist("stop")
    await crew.until_quiet()
    await plain(crew, schedule)


SCRIPTS: Mapping[Script, Callable[[Crew, Schedule], Awaitable[None]]] = {
    Script.PLAIN: plain,
    Script.START_TWICE: lambda crew, schedule: start_many(crew, schedule, 2),
    Script.START_TWENTY: lambda crew, schedule: start_many(crew, schedule, 20),
    Script.STOP_TWICE: stop_twice,
    Script.STOP_AT_ONCE: stop_at_once,
    Script.IMPATIENT: impatient,
    Script.BREAKUP: breakup,
    Script.REPAIR: repair,
    Script.FOREIGN: foreign,
    Script.EXCLUDE: exclude,
    Script.UP_AND_DOWN: up_and_down,
}
