"""The control port tells the truth, and says what is wrong with a bad request."""

from pathlib import Path

import pytest

from get_protocol.state_machine import Transition
from tests.simulator.conftest import UP, Simulation, until


async def test_state_counts_what_really_happens(small: Simulation) -> None:
    for board in ("cobo0", "cobo1", "mutant"):
        await small.go(board, *UP)
    await until(lambda: bool(small.files("cobo0")))
    for board in ("mutant", "cobo1", "cobo0"):
        await small.go(board, Transition.STOP)
    router, board_now = small.detector.routers["router-cobo0"], small.detector.boards["CoBo[0]"]
    await until(lambda: router.frames_written == board_now.frames_sent)
    board = await small.truth("boards", "CoBo[0]")
    assert (board["running"], board["connected"], board["starts"]) == (False, True, 1)
    assert board["frames_sent"] == 4 * board["events"] > 0
    files = (await small.truth("data_routers", "router-cobo0"))["files"]
    sizes = {path.name: path.stat().st_size for path in small.staging("cobo0").iterdir()}
    assert {file["name"]: file["bytes"] for file in files} == sizes
    assert sum(file["frames"] for file in files) == board["frames_sent"]
    server = await small.truth("ecc_servers", "ecc-cobo0")
    assert (server["state_name"], server["calls"]) == (
        "ready",
        {"Describe": 1, "Prepare": 1, "Configure": 1, "Start": 1, "Stop": 1},
    )


async def test_calls_and_journal_are_numbered_and_timed(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", Transition.DESCRIBE, Transition.PREPARE)
    await one_cobo.state("ecc-cobo0")
    _, calls = await one_cobo.control("GET", "/calls?since=0")
    assert [(call["ecc_server"], call["operation"]) for call in calls] == [
        ("ecc-cobo0", "Describe"),
        ("ecc-cobo0", "Prepare"),
    ]
    _, newer = await one_cobo.control("GET", f"/calls?since={calls[0]['seq']}")
    assert [call["operation"] for call in newer] == ["Prepare"]
    _, transitions = await one_cobo.control("GET", "/journal?kind=transition")
    assert [(one["operation"], one["source"], one["target"], one["error_code"]) for one in transitions] == [
        ("Describe", 1, 2, 0),
        ("Prepare", 2, 3, 0),
    ]
    assert calls[0]["at"] <= transitions[0]["at"] <= calls[1]["at"] <= transitions[1]["at"]


async def test_faults_are_listed_and_cleared_by_target(small: Simulation) -> None:
    await small.fault("ecc-cobo0", "refuse", operation="Start", times=2)
    await small.fault("router-cobo1", "silent")
    _, listed = await small.control("GET", "/faults")
    assert [(fault["target"], fault["fault"], fault["times"]) for fault in listed] == [
        ("ecc-cobo0", "refuse", 2),
        ("router-cobo1", "silent", None),
    ]
    assert await small.control("DELETE", "/faults?target=ecc-cobo0") == (200, {"cleared": 1})
    _, state = await small.control("GET", "/state")
    assert [fault["target"] for fault in state["faults"]] == ["router-cobo1"]


async def test_speed_takes_effect(one_cobo: Simulation) -> None:
    assert await one_cobo.control("POST", "/speed", {"speed": 1000, "event_rate": 7}) == (
        200,
        {"event_rate": 7.0, "speed": 1000.0},
    )
    _, state = await one_cobo.control("GET", "/state")
    assert (state["speed"], state["event_rate"]) == (1000.0, 7.0)


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "/faults", "no object", "body: must be a JSON object"),
        ("POST", "/faults", {"target": "ecc-cobo7", "fault": "die"}, "target: must be one of ecc-cobo0, CoBo[0]"),
        ("DELETE", "/faults?target=x", None, "target: must be one of"),
        ("POST", "/restart", {"target": "x"}, "target: must be one of"),
        ("POST", "/restart", {"traget": "x"}, "traget: no such field; allowed: target"),
        ("POST", "/speed", {"speed": 0}, "speed: must be a number from 0.001 to 10000.0, not 0"),
        ("POST", "/speed", {"rate": 1}, "rate: no such field; allowed: event_rate, speed"),
        ("GET", "/calls?since=-1", None, "since: must be a whole number from 0"),
    ],
)
async def test_bad_requests(one_cobo: Simulation, method: str, path: str, body: object, text: str) -> None:
    status, answer = await one_cobo.control(method, path, body)
    assert status == 400
    assert answer["error"].startswith(text)


async def test_a_body_that_is_no_json(one_cobo: Simulation) -> None:
    url = f"http://127.0.0.1:{one_cobo.control_port}/speed"
    async with one_cobo.session.post(url, data=b"{speed") as response:
        assert (response.status, (await response.json())["error"][:22]) == (400, "body: is not valid JSO")


async def test_the_announcement_names_everything(small: Simulation, tmp_path: Path) -> None:
    told = small.announced
    assert [one["name"] for one in told["ecc_servers"]] == ["ecc-cobo0", "ecc-cobo1", "ecc-mutant"]
    assert [one["boards"] for one in told["ecc_servers"]] == [["CoBo[0]"], ["CoBo[1]"], ["Mutant[master]"]]
    assert [one["name"] for one in told["data_routers"]] == ["router-cobo0", "router-cobo1", "router-mutant"]
    roots = [str(tmp_path / "nodes" / f"node-{name}") for name in ("cobo0", "cobo1", "mutant")]
    assert [one["root"] for one in told["nodes"]] == roots
    assert told["host_key"].startswith("ssh-ed25519 AAAA")
    assert told["ssh_user"] == "attpc"
