"""Data routers over real sockets: one connection, deafness, moves, roll-over (facts 3, 4)."""

import asyncio
from pathlib import Path

import pytest

from get_protocol.data_links import LinkType
from get_protocol.graw import walk
from get_protocol.state_machine import State, Transition
from get_simulator.description import Timing
from tests.simulator.conftest import UP, Simulation, running, until

TAKEN = "TCP connection to 127.0.0.1:{} failed: Connection refused (errno=111)."
NO_LINK = (
    "Could not connect data sender 'CoBo[{}]' to its data router: Failed to connect to data router of type '{}': {}"
)


async def frames_written(simulation: Simulation, router: str) -> int:
    return int((await simulation.truth("data_routers", router))["frames_written"])


async def test_a_second_board_is_refused_while_the_first_is_connected(small: Simulation) -> None:
    await small.go("cobo0", *UP[:3])
    await small.go("cobo1", *UP[:2])
    taken = small.link("cobo1", router="router-cobo0")
    reply = await small.ask("cobo1", Transition.CONFIGURE, link=taken)
    assert reply.error_code == 3
    assert reply.error_message == NO_LINK.format(1, "TCP", TAKEN.format(taken.port))
    await small.go("cobo0", Transition.BREAKUP)
    assert (await small.ask("cobo1", Transition.CONFIGURE, link=taken)).error_code == 0


async def test_a_restarted_router_is_deaf_until_its_board_is_configured_again(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: bool(one_cobo.files("cobo0")))
    await one_cobo.restart("router-cobo0")
    await one_cobo.expect("cobo0", State.RUNNING)
    before = set(one_cobo.files("cobo0"))
    board = one_cobo.detector.boards["CoBo[0]"]
    await until(lambda: board.frames_lost > 0, "the board sends into nothing")
    await one_cobo.go("cobo0", Transition.STOP, Transition.START)
    lost = board.frames_lost
    await until(lambda: board.frames_lost > lost, "the next run is lost as well")
    assert await frames_written(one_cobo, "router-cobo0") > 0
    assert set(one_cobo.files("cobo0")) == before
    await one_cobo.go("cobo0", Transition.BREAKUP, Transition.CONFIGURE, Transition.START)
    await until(lambda: len(one_cobo.files("cobo0")) == len(before) + 4, "new files")


async def test_with_fdt_the_next_start_connects_again(tmp_path: Path) -> None:
    tables = {"detector": {"cobos": 1, "mutant": "none", "link_type": "FDT"}}
    async with running(tables, tmp_path) as simulation:
        link = simulation.link("cobo0", kind=LinkType.FDT)
        for transition in UP:
            assert (await simulation.ask("cobo0", transition, link=link)).error_code == 0
        await until(lambda: len(simulation.files("cobo0")) == 4)
        await simulation.restart("router-cobo0")
        await simulation.go("cobo0", Transition.STOP)
        await simulation.go("cobo0", Transition.START)
        await until(lambda: len(simulation.files("cobo0")) == 8, "files of the new process")
        await simulation.go("cobo0", Transition.STOP)
        router = simulation.detector.routers["router-cobo0"]
        await until(lambda: router.listening and not router.has_connection, "goodbye at Stop")
        assert router.frames_dropped >= 1, "the topology frame"


async def test_a_new_run_makes_new_files_and_a_run_without_events_none(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: len(one_cobo.files("cobo0")) == 4)
    await one_cobo.go("cobo0", Transition.STOP)
    await one_cobo.control("POST", "/speed", {"event_rate": 0})
    await one_cobo.go("cobo0", Transition.START, Transition.STOP)
    assert len(one_cobo.files("cobo0")) == 4
    await one_cobo.control("POST", "/speed", {"event_rate": 100})
    await one_cobo.go("cobo0", Transition.START)
    await until(lambda: len(one_cobo.files("cobo0")) == 8)


async def test_a_file_moved_while_running_is_made_again_under_its_name(one_cobo: Simulation, tmp_path: Path) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: len(one_cobo.files("cobo0")) == 4)
    name = one_cobo.files("cobo0")[0]
    (one_cobo.staging("cobo0") / name).rename(tmp_path / name)
    await until(lambda: name in one_cobo.files("cobo0"), "the file is back")
    await one_cobo.go("cobo0", Transition.STOP)
    router = one_cobo.detector.routers["router-cobo0"]
    board = one_cobo.detector.boards["CoBo[0]"]
    await until(lambda: router.frames_written == board.frames_sent, "all is written")
    moved, rest = [
        [header.event_idx for header in walk((place / name).read_bytes())]
        for place in (tmp_path, one_cobo.staging("cobo0"))
    ]
    assert moved + rest == list(range(board.events))


async def test_external_time_reset_appends_the_next_run_to_the_same_file(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP, configure="exttime")
    await until(lambda: len(one_cobo.files("cobo0")) == 4)
    await one_cobo.go("cobo0", Transition.STOP, Transition.START, configure="exttime")
    events = one_cobo.detector.boards["CoBo[0]"].events
    await until(lambda: one_cobo.detector.boards["CoBo[0]"].events > events)
    assert len(one_cobo.files("cobo0")) == 4


async def test_rollover_on_disk(tmp_path: Path) -> None:
    tables = {"detector": {"cobos": 1, "mutant": "none", "rollover_bytes": 1}}
    async with running(tables, tmp_path) as simulation:
        await simulation.go("cobo0", *UP)
        await until(lambda: sum("_0002.graw" in name for name in simulation.files("cobo0")) == 4)
        last = [path.stat().st_size for path in simulation.staging("cobo0").glob("*_0001.graw")]
        assert len(last) == 4


async def test_an_ice_sender_at_a_tcp_router_hangs_and_fails(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP[:2])
    began = asyncio.get_running_loop().time()
    reply = await one_cobo.ask("cobo0", Transition.CONFIGURE, link=one_cobo.link("cobo0", kind=LinkType.ICE))
    assert reply.error_code == 3
    assert asyncio.get_running_loop().time() - began > 20.0 / one_cobo.detector.pace.speed
    router = one_cobo.detector.routers["router-cobo0"]
    await until(lambda: router.listening, "the router is free again")


async def test_a_host_name_as_address_is_taken_and_leads_nowhere(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP[:2])
    link = one_cobo.link("cobo0")
    body = (
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>'
        '<Configure xmlns="urn:ecc"><configID><ConfigId><SubConfigId type="configure">experiment</SubConfigId>'
        '</ConfigId></configID><table><DataLinkSet><DataLink><DataSender id="CoBo[0]"/><DataRouter name="d" '
        f'ipAddress="localhost" port="{link.port}" type="TCP"/></DataLink></DataLinkSet></table></Configure>'
        "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    raw = await one_cobo.raw("ecc-cobo0", body.encode())
    assert b"<ErrorCode>0</ErrorCode>" in raw
    assert b"255.255.255.255" in raw
    await one_cobo.go("cobo0", Transition.START)
    board = one_cobo.detector.boards["CoBo[0]"]
    await until(lambda: board.frames_lost > 0)
    assert not one_cobo.files("cobo0")


async def test_killing_the_ecc_server_of_a_running_board(one_cobo: Simulation) -> None:
    """It goes on until the next Describe; the first Configure then meets a router that still has the old connection."""
    await one_cobo.go("cobo0", *UP)
    await until(lambda: bool(one_cobo.files("cobo0")))
    await one_cobo.restart("ecc-cobo0")
    await one_cobo.expect("cobo0", State.IDLE)
    board = one_cobo.detector.boards["CoBo[0]"]
    sent = board.frames_sent
    await until(lambda: board.frames_sent > sent, "data while Idle")
    await one_cobo.go("cobo0", *UP[:2])
    assert not board.sending
    first = await one_cobo.ask("cobo0", Transition.CONFIGURE)
    assert "Connection refused" in first.error_message
    await one_cobo.go("cobo0", Transition.CONFIGURE, Transition.START)


async def test_an_ecc_server_killed_while_its_board_connects_leaves_no_connection(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP[:2])
    router = one_cobo.detector.routers["router-cobo0"]
    await one_cobo.control("POST", "/speed", {"speed": 1})
    one_cobo.detector.ecc_servers["ecc-cobo0"].service.pace.timing = Timing(configure=0.01)
    ice = one_cobo.link("cobo0", kind=LinkType.ICE)
    asked = asyncio.create_task(one_cobo.ask("cobo0", Transition.CONFIGURE, link=ice))
    await until(lambda: router.has_connection, "connected")
    await one_cobo.restart("ecc-cobo0")
    await until(lambda: router.listening, "the router is free again")
    with pytest.raises(IndexError):  # an empty reply has no status line
        await asked


@pytest.mark.parametrize("fault", ["silent", "disk_full"])
async def test_what_a_router_swallows(one_cobo: Simulation, fault: str) -> None:
    await one_cobo.fault("router-cobo0", fault)
    await one_cobo.go("cobo0", *UP)
    counter = {"silent": "frames_silenced", "disk_full": "frames_dropped"}[fault]
    router = one_cobo.detector.routers["router-cobo0"]
    await until(lambda: getattr(router, counter) > 4)
    assert not one_cobo.files("cobo0")
    await one_cobo.clear()
    await until(lambda: len(one_cobo.files("cobo0")) == 4, "files after the fault")


async def test_late_frames_come_in_after_stop(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: bool(one_cobo.files("cobo0")))
    await one_cobo.fault("CoBo[0]", "late_frames", seconds=0.3)
    await one_cobo.go("cobo0", Transition.STOP)
    await one_cobo.expect("cobo0", State.READY)
    at_stop = one_cobo.detector.routers["router-cobo0"].frames_written
    board = await one_cobo.truth("boards", "CoBo[0]")
    assert (board["running"], board["sending"]) == (False, True)
    await until(lambda: not one_cobo.detector.boards["CoBo[0]"].active(one_cobo.detector.clock.now()))
    assert one_cobo.detector.routers["router-cobo0"].frames_written > at_stop
