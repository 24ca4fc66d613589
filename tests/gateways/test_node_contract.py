"""What close-out and the monitor rely on in a NodePort: in memory, simulated, and behind OpenSSH's sshd."""

import dataclasses
from contextlib import suppress

import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from attpcdaq.gateways.node_commands import MAX_OUTPUT
from attpcdaq.gateways.ports import CommandResult, RouterReading
from get_protocol.graw import FrameType, build_frame, build_mutant, full_readout_order
from tests.gateways.node_stands import NodeStand, join, same

LIMIT = 20.0
FILE = "CoBo0_AsAd1_2026-11-22T09:48:24.458_0000.graw"


def frame(event: int) -> bytes:
    return build_frame(cobo_idx=0, asad_idx=1, event_idx=event, event_time=event * 1000)


def full_frame(event: int) -> bytes:
    items = full_readout_order(512)
    return build_frame(
        cobo_idx=0, asad_idx=1, event_idx=event, event_time=event * 1000, items=items, frame_type=FrameType.COBO_COMPACT
    )


async def look(stand: NodeStand) -> RouterReading:
    found = (await stand.port.read_routers(stand.node, [stand.query], LIMIT))["router-cobo0"]
    assert isinstance(found, RouterReading), found
    return found


async def test_a_clean_node_without_a_router(node: NodeStand) -> None:
    found = await look(node)
    assert (found.online, found.pid, found.files, found.last_event) == (False, None, (), None)
    assert found.disk_total is not None
    assert found.disk_free is not None
    assert 0 < found.disk_free <= found.disk_total


async def test_the_process_is_told_from_its_successor(node: NodeStand) -> None:
    await node.start_router()
    first = await look(node)
    assert first.online
    assert first.pid is not None
    await node.start_router()
    second = await look(node)
    assert second.online
    assert second.pid not in (None, first.pid)
    await node.stop_router()
    assert (await look(node)).online is False


async def test_files_and_last_event_number_follow_the_disk(node: NodeStand) -> None:
    path = join(node.query.staging_dir, FILE)
    for number in (1, 2, 40):
        node.write(path, b"".join(map(frame, range(number))))
        found = await look(node)
        assert [(file.name, file.size) for file in found.files] == [(FILE, number * len(frame(0)))]
        assert found.last_event == number - 1
    node.write(path, frame(0) + frame(1) + frame(2)[:100])
    assert (await look(node)).last_event in (1, 2)


async def test_a_file_longer_than_the_tail_that_is_read(node: NodeStand) -> None:
    frames = b"".join(map(frame, range(500)))
    assert len(frames) > 100_000
    node.write(join(node.query.staging_dir, FILE), frames)
    assert (await look(node)).last_event == 499


async def test_frames_of_a_full_readout_and_a_last_one_that_is_different(node: NodeStand) -> None:
    """278,784 bytes each (facts 5): more than the tail that is read at first."""
    path = join(node.query.staging_dir, FILE)
    for events in (1, 2, 9):
        node.write(path, b"".join(map(full_frame, range(events))))
        assert (await look(node)).last_event == events - 1
    node.write(path, full_frame(0) + full_frame(1) + full_frame(2)[:5000])
    assert (await look(node)).last_event in (1, 2)
    node.write(path, full_frame(0) + full_frame(1) + frame(2) + frame(3))
    assert (await look(node)).last_event == 3


async def test_the_mutants_file_is_read_too(node: NodeStand) -> None:
    name = "MuTanT_2026-11-22T09:48:24.458_0000.graw"
    node.write(join(node.query.staging_dir, name), b"".join(build_mutant(event) for event in range(7)))
    assert (await look(node)).last_event == 6


async def test_what_is_no_data_file_is_passed_over(node: NodeStand) -> None:
    for name in ("notes.txt", ".graw", "CoBo0.graw.part"):
        node.write(join(node.query.staging_dir, name), b"x")
    node.write(join(node.query.staging_dir, "exp/run_0001", FILE), frame(0))
    node.write(join(node.query.staging_dir, "empty.graw"), b"")
    found = await look(node)
    assert [file.name for file in found.files] == ["empty.graw"]
    assert found.last_event is None
    listed = await node.port.list_graw(node.node, node.query.staging_dir, LIMIT)
    assert listed == found.files


async def test_garbage_has_no_event_number_and_does_no_harm(node: NodeStand) -> None:
    node.write(join(node.query.staging_dir, FILE), b"\xff" * 5000)
    assert (await look(node)).last_event is None


async def test_a_missing_staging_directory_concerns_its_router_alone(node: NodeStand) -> None:
    lost = dataclasses.replace(node.query, name="router-lost", staging_dir=f"{node.root}/nowhere")
    found = await node.port.read_routers(node.node, [node.query, lost], LIMIT)
    assert isinstance(found["router-cobo0"], RouterReading)
    assert isinstance(found["router-lost"], Refused)
    assert f"there is no directory {node.root}/nowhere" in str(found["router-lost"])
    with pytest.raises(Refused, match=f"node-cobo0.*there is no directory {node.root}/nowhere"):
        await node.port.list_graw(node.node, f"{node.root}/nowhere", LIMIT)


async def test_files_are_moved_into_directories_that_are_made(node: NodeStand) -> None:
    staging, target = node.query.staging_dir, join(node.query.staging_dir, "e1/run_0001")
    names = [f"CoBo0_AsAd{asad}_2026-11-22T09:48:24.458_0000.graw" for asad in range(4)]
    for number, name in enumerate(names):
        node.write(join(staging, name), frame(number) * (number + 1))
    moved = await node.port.move_files(node.node, staging, same(names), target, LIMIT)
    assert [(one.path, one.size) for one in moved] == [
        (join(target, name), len(frame(0)) * (number + 1)) for number, name in enumerate(names)
    ]
    assert node.names(target) == names
    assert [name for name in node.names(staging) if name.endswith(".graw")] == []
    assert node.read(join(target, names[2])) == frame(2) * 3


async def test_a_file_is_never_moved_over_another(node: NodeStand) -> None:
    staging, target = node.query.staging_dir, join(node.query.staging_dir, "e1/run_0001")
    for name in ("a.graw", "b.graw"):
        node.write(join(staging, name), b"new")
    node.write(join(target, "b.graw"), b"old")
    with pytest.raises(Refused, match=r"run_0001/b\.graw exists already; nothing was moved"):
        await node.port.move_files(node.node, staging, same(["a.graw", "b.graw"]), target, LIMIT)
    assert node.read(join(target, "b.graw")) == b"old"
    assert node.read(join(staging, "b.graw")) == b"new"
    assert "a.graw" in node.names(staging)


async def test_a_file_that_is_not_there_moves_nothing(node: NodeStand) -> None:
    staging = node.query.staging_dir
    node.write(join(staging, "a.graw"), b"data")
    with pytest.raises(Refused, match=r"gone\.graw"):
        await node.port.move_files(
            node.node, staging, same(["a.graw", "gone.graw"]), join(staging, "e/run_0001"), LIMIT
        )
    assert "a.graw" in node.names(staging)


@pytest.mark.parametrize("name", ["../a.graw", "e/a.graw", "", "..", "a\n.graw", "x" * 300])
async def test_names_that_lead_elsewhere_are_refused(node: NodeStand, name: str) -> None:
    staging = node.query.staging_dir
    with pytest.raises(Refused, match="not a plain file name; nothing was done"):
        await node.port.move_files(node.node, staging, same([name]), join(staging, "e/run_0001"), LIMIT)
    with pytest.raises(Refused, match="not a plain file name; nothing was done"):
        await node.port.copy_files(node.node, staging, [name], join(staging, "e/run_0001"), LIMIT)


@pytest.mark.parametrize("directory", ["relative", "/a/../b", "/a\x00b"])
async def test_directories_that_lead_elsewhere_are_refused(node: NodeStand, directory: str) -> None:
    with pytest.raises(Refused, match=r"is not an absolute path|is not a path without"):
        await node.port.move_files(node.node, node.query.staging_dir, same(["a.graw"]), directory, LIMIT)


async def test_copies_are_the_same_and_may_be_made_again(node: NodeStand) -> None:
    source, target = f"{node.root}/configuration", f"{node.root}/backup/e1/run_0001"
    contents = {"describe-cobo0.xcfg": b"<Setup/>", "configure-experiment.xcfg": b"<x>" * 100_000}
    for name, data in contents.items():
        node.write(join(source, name), data)
    for _ in range(2):
        copied = await node.port.copy_files(node.node, source, list(contents), target, LIMIT)
        assert [(one.path, one.size) for one in copied] == [
            (join(target, name), len(data)) for name, data in contents.items()
        ]
    assert {name: node.read(join(target, name)) for name in node.names(target)} == contents
    assert sorted(node.names(source)) == sorted(contents)


async def test_a_different_copy_is_left_as_it_is(node: NodeStand) -> None:
    source, target = f"{node.root}/configuration", f"{node.root}/backup"
    node.write(join(source, "a.xcfg"), b"new")
    node.write(join(target, "a.xcfg"), b"old")
    with pytest.raises(Refused, match=r"a\.xcfg exists already and differs"):
        await node.port.copy_files(node.node, source, ["a.xcfg"], target, LIMIT)
    assert node.read(join(target, "a.xcfg")) == b"old"


async def test_what_cannot_be_copied_is_named(node: NodeStand) -> None:
    node.write(f"{node.root}/configuration/a.xcfg", b"x")
    with pytest.raises(Refused, match=r"there is no .*/gone\.xcfg"):
        await node.port.copy_files(node.node, f"{node.root}/configuration", ["gone.xcfg"], f"{node.root}/backup", LIMIT)


async def test_a_dead_node_is_unreachable(node: NodeStand) -> None:
    node.die()
    with pytest.raises(Unreachable, match=r"node-cobo0.*refused"):
        await node.port.list_graw(node.node, node.query.staging_dir, LIMIT)
    with pytest.raises(Unreachable, match=r"node-cobo0.*refused"):
        await node.port.read_routers(node.node, [node.query], LIMIT)


async def test_a_lost_connection_is_opened_again(node: NodeStand) -> None:
    await look(node)
    node.lose_connections()
    node.write(join(node.query.staging_dir, "a.graw"), b"")
    with suppress(NoAnswer):  # the first call may be the one that finds out
        await node.port.list_graw(node.node, node.query.staging_dir, LIMIT)
    listed = await node.port.list_graw(node.node, node.query.staging_dir, LIMIT)
    assert [file.name for file in listed] == ["a.graw"]


async def test_a_command_tells_its_exit_status_and_what_it_printed(node: NodeStand) -> None:
    path = join(node.query.staging_dir, "note.txt")
    node.write(path, "µ of a chip\n".encode())
    assert await node.port.run_command(node.node, "true", LIMIT) == CommandResult(0, "")
    assert await node.port.run_command(node.node, f"cat {path}", LIMIT) == CommandResult(0, "µ of a chip")
    missing = await node.port.run_command(node.node, f"cat {node.query.staging_dir}/nothing", LIMIT)
    assert missing.exit_status == 1
    assert "No such file or directory" in missing.output
    unknown = await node.port.run_command(node.node, "no-such-program restart", LIMIT)
    assert unknown.exit_status == 127
    assert "not found" in unknown.output


async def test_of_a_long_output_the_end_is_kept(node: NodeStand) -> None:
    path = join(node.query.staging_dir, "long.txt")
    node.write(path, b"first " + b"x" * 300_000 + b" last")
    result = await node.port.run_command(node.node, f"cat {path}", LIMIT)
    assert len(result.output) <= MAX_OUTPUT
    assert result.output.endswith("x last")


@pytest.mark.parametrize("command", ["", "  ", "true\nreboot", "true \x00", "x" * 1001])
async def test_what_is_no_command_line_is_refused(node: NodeStand, command: str) -> None:
    with pytest.raises(Refused, match="is not a command line"):
        await node.port.run_command(node.node, command, LIMIT)


async def test_a_command_on_a_node_that_is_gone(node: NodeStand) -> None:
    assert (await node.port.run_command(node.node, "true", LIMIT)).exit_status == 0
    node.lose_connections()
    node.die()
    with pytest.raises((Unreachable, NoAnswer), match="node-cobo0"):
        await node.port.run_command(node.node, "true", LIMIT)
    with pytest.raises(Unreachable, match="node-cobo0"):
        await node.port.run_command(node.node, "true", LIMIT)
