"""What was recorded from the real ECC server, asked again of the simulated one: the answers are the same bytes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from get_protocol.data_links import LinkType
from get_protocol.ecc_messages import decode_text_reply
from get_protocol.state_machine import State, Transition
from tests.protocol.recorded import GOLDEN, recorded, request, response
from tests.simulator.conftest import Simulation, exchange, running, until

HARDWARE = "hardwareDescription_{}.xcfg"
FROM_IDLE = [
    "01-GetState-idle",
    "02-GetConfigIDs",
    "13-Special-empty",
    "13-Special-unknown",
    *(f"20-illegal-{name}-from-idle" for name in ("Breakup", "Configure", "Pause", "Prepare", "Resume")),
    *(f"20-illegal-{name}-from-idle" for name in ("Start", "Stop", "Undo")),
    "40-empty-body",
    "40-empty-soap-body",
    "40-not-xml",
    "40-ns-default-on-envelope",
    "40-ns-none",
    "40-ns-wrong-prefix",
    "40-unknown-op",
    "50-Describe-child-prefixed",
    "50-Describe-empty-configID",
    "50-Describe-unknown-describe-name",
]
DESCRIBES = [f"50-Describe-{how}" for how in ("cdata", "child-default-ns", "child-unprefixed", "child-xmlns-empty")]
A_DAY = [
    "03-Describe",
    "03b-GetState-after-Describe",
    *(f"21-illegal-{name}-from-described" for name in ("Breakup", "Describe", "Start", "Stop")),
    "04-Prepare",
    "04b-GetState-after-Prepare",
    "53-Configure-bad-type",
    "53-Configure-no-links",
    "53-Configure-router-down-TCP",
    "53-Configure-wrong-sender",
    "05-Configure",
    "05b-GetState-after-Configure",
    *(f"23-illegal-{name}-from-ready" for name in ("Describe", "Pause", "Prepare", "Resume", "Stop", "Undo")),
    "06-Start",
    "06b-GetState-after-Start",
    *(f"24-illegal-{name}-from-running" for name in ("Describe", "Prepare", "Resume", "Start", "Undo")),
    "07-Pause",
    "09-Stop",
    "09b-GetState-after-Stop",
    "10-Breakup",
    "10b-GetState-after-Breakup",
    "53-Configure-two-links-same-sender",
    "10-Breakup",
    "11-Undo",
    "11b-GetState-after-Undo",
    "12-Undo",
    "12b-GetState-after-Undo",
]


def repository(directory: Path, *, both: bool = False) -> None:
    """The recorded server's repository; the hardware files come out of its own Configure answers."""
    directory.mkdir(parents=True)
    for path in (GOLDEN / "configs").iterdir():
        if both or "mutant" not in path.name:
            (directory / path.name.removesuffix(".gz")).write_bytes(recorded("configs", path.name.removesuffix(".gz")))
    if not both:
        (directory / "configure-broken.xcfg").write_bytes(b"<Setup")
    answers = {"fullCoBoStandAlone": "05-Configure", "Mutant": "80-mutant-Configure"}
    for name, capture in answers.items():
        (directory / HARDWARE.format(name)).write_bytes(_file_in(capture, HARDWARE.format(name)))
    if both:
        (directory / "describe-both.xcfg").write_bytes(_file_in("85-twocobos-Configure", "describe-both.xcfg"))


def _file_in(capture: str, name: str) -> bytes:
    answer = response(capture)
    assert answer is not None
    text = decode_text_reply(answer.status, answer.body).text
    return text.partition(f'<File filename="{name}"')[2].partition(">\n")[2].partition("\n</File>")[0].encode("latin-1")


async def replay(simulation: Simulation, server: str, capture: str, *substitutions: tuple[bytes, bytes]) -> None:
    """Send the recorded request, expect the recorded answer; substitutes are as long as what they stand for."""
    asked, expected = request(capture).raw, response(capture)
    wanted = b"" if expected is None else expected.raw
    for old, new in substitutions:
        assert len(old) == len(new)
        asked, wanted = asked.replace(old, new), wanted.replace(old, new)
    assert await exchange(simulation.port(server), asked) == wanted, capture


def port(simulation: Simulation, recorded_port: int, router: str) -> tuple[bytes, bytes]:
    return b'"%d"' % recorded_port, b'"%d"' % simulation.detector.routers[router].port


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Simulation]:
    """A server with the recorded repository and a CoBo[0] and CoBo[1] to describe."""
    for number in range(2):
        repository(tmp_path / "nodes" / f"node-cobo{number}" / "configs")
    tables = {"detector": {"cobos": 2, "mutant": "none"}, "timing": {"speed": 1000.0}}
    async with running(tables, tmp_path) as simulation:
        for node in simulation.detector.nodes:
            for name in ("describe-all.xcfg", HARDWARE.format("simulatedCoBo")):
                (simulation.detector.root(node) / "configs" / name).unlink(missing_ok=True)
        yield simulation


async def test_answers_while_idle(one: Simulation) -> None:
    for capture in FROM_IDLE:
        await replay(one, "ecc-cobo0", capture)
        await replay(one, "ecc-cobo0", "01-GetState-idle")


async def test_every_way_to_write_a_describe(one: Simulation) -> None:
    for capture in [*DESCRIBES, "50-Describe-nested-unescaped"]:
        await replay(one, "ecc-cobo0", capture)
        await replay(one, "ecc-cobo0", "03b-GetState-after-Describe")
        await replay(one, "ecc-cobo0", "12-Undo")


async def test_a_day_from_idle_to_running_and_back(one: Simulation) -> None:
    for capture in A_DAY:
        await replay(one, "ecc-cobo0", capture, port(one, 46005, "router-cobo0"))


async def test_truncated_xml_is_held_without_an_answer(one: Simulation) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port("ecc-cobo0"))
    writer.write(request("40-truncated-xml").raw)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.3)
    writer.close()


@pytest.mark.parametrize("capture", ["51-Describe-empty-text", "51-Describe-unknown-subtype"])
async def test_what_aborts_the_process(one: Simulation, capture: str) -> None:
    await replay(one, "ecc-cobo0", capture)
    with pytest.raises(ConnectionRefusedError):
        await one.state("ecc-cobo0")
    await one.restart("ecc-cobo0")
    await replay(one, "ecc-cobo0", "01-GetState-idle")


@pytest.mark.parametrize(
    ("number", "operation", "before"),
    [
        (30, "Prepare", (Transition.DESCRIBE,)),
        (31, "Configure", (Transition.DESCRIBE, Transition.PREPARE)),
    ],
)
async def test_busy(one: Simulation, number: int, operation: str, before: tuple[Transition, ...]) -> None:
    await one.go("cobo1", *before)
    await one.fault("ecc-cobo1", "hang", operation=operation)
    transition = Transition[operation.upper()]
    blocked = asyncio.create_task(one.ask("cobo1", transition))
    await until(lambda: one.detector.ecc_servers["ecc-cobo1"].service.work is not None, "busy")
    for asked in ("Prepare", "Start", "Stop", "Undo"):
        await replay(one, "ecc-cobo1", f"{number}-{asked}-while-busy-{operation}")
    await replay(one, "ecc-cobo1", f"{number}-GetState-during-{operation}")
    await one.clear()
    assert (await blocked).error_code == 0


async def test_a_failing_and_a_dead_board(one: Simulation) -> None:
    link = port(one, 46105, "router-cobo1")
    await one.go("cobo1", Transition.DESCRIBE, Transition.PREPARE)
    for operation in ("Configure", "Start"):
        text = f"emulated hardware failure ({operation.lower()})"
        await one.fault("CoBo[1]", "fail", operation=operation, message=text, times=1)
        await replay(one, "ecc-cobo1", f"60-{operation}-hw-fails", link)
        await one.go("cobo1", Transition[operation.upper()])
    await one.fault("CoBo[1]", "die")
    await replay(one, "ecc-cobo1", "61-Stop-hw-dead", link)
    await one.expect("cobo1", State.READY)
    await replay(one, "ecc-cobo1", "61-Breakup-hw-dead", link)
    await replay(one, "ecc-cobo1", "61-Describe-from-state0", link)
    await one.expect("cobo1", State.OFF)
    await one.restart("ecc-cobo1")
    await replay(one, "ecc-cobo1", "62-Describe-hw-down", link)
    await one.expect("cobo1", State.IDLE)


async def test_a_breakup_that_fails(one: Simulation) -> None:
    await one.go("cobo1", Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE)
    await one.fault("ecc-cobo1", "fail", operation="Breakup")
    await replay(one, "ecc-cobo1", "60-Breakup-hw-fails")
    await one.expect("cobo1", State.OFF)


async def test_server_exit(one: Simulation) -> None:
    await replay(one, "ecc-cobo0", "70-ServerExit")
    assert await exchange(one.port("ecc-cobo0"), request("01-GetState-idle").raw) == b"", (
        "the next connection gets nothing"
    )
    with pytest.raises(ConnectionRefusedError):
        await one.state("ecc-cobo0")


async def test_mutant_over_fdt(tmp_path: Path) -> None:
    repository(tmp_path / "nodes" / "node-mutant" / "configs", both=True)
    async with running({"detector": {"cobos": 0, "link_type": LinkType.FDT}}, tmp_path) as simulation:
        link = port(simulation, 46305, "router-mutant")
        for operation in ("Describe", "Prepare", "Configure", "Start"):
            await replay(simulation, "ecc-mutant", f"80-mutant-{operation}", link)
        await until(lambda: len(simulation.files("mutant")) == 1, "the MuTAnT's file")


async def test_one_server_for_two_cobos(tmp_path: Path) -> None:
    repository(tmp_path / "nodes" / "node-cobo0" / "configs", both=True)
    tables = {"detector": {"cobos": 2, "mutant": "none", "ecc_servers": "one-for-all"}}
    async with running(tables, tmp_path) as simulation:
        routers = [simulation.detector.routers[f"router-cobo{i}"] for i in range(2)]
        links = [
            (b'"127.0.2.%d" port="46005"' % (i + 1), b'"127.0.0.1" port="%d"' % router.port)
            for i, router in enumerate(routers)
        ]
        for name in ("Describe", "Prepare", "Configure-one-link-missing", "Configure", "Start"):
            await replay(simulation, "ecc-all", f"85-twocobos-{name}", *links)
        await until(lambda: len(simulation.files("cobo0")) == len(simulation.files("cobo1")) == 4, "files")
        await replay(simulation, "ecc-all", "85-twocobos-Stop", *links)
