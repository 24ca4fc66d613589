"""The main job through the API: idle, ready, run 1, its data, run 2, a board that fails and recovers."""

from pathlib import Path
from typing import Any

from get_protocol.graw import read_header, walk
from tests.e2e.system import COBOS, SERVERS, System
from tests.e2e.waiting import wait_for

BOARDS = [*(f"cobo{number}" for number in range(10)), "mutant"]


def test_a_new_demo_begins_idle_and_configured(system: System) -> None:
    status = system.status()
    assert status["next_run_number"] == 1
    assert system.all_in("idle")
    assert status["monitor_alive"]
    assert all(server["config"].endswith("experiment / experiment") for server in status["ecc_servers"])
    assert all(server["age"] < 5 for server in status["ecc_servers"])
    assert [router["clean"] for router in status["data_routers"]] == [True] * len(BOARDS)
    assert status["experiment"] == "demo"


def test_idle_to_ready_to_a_run_whose_files_lie_where_the_analysis_expects_them(system: System) -> None:
    system.ready()
    number = system.status()["next_run_number"]
    system.do("start", title="first light", run_class="production")
    status = system.status()
    assert status["overall"] == {"level": "ok", "title": f"Run {number} is running", "reasons": []}
    assert (status["run"]["number"], status["run"]["state"]) == (number, "running")
    assert all(board["running"] for board in system.truth()["boards"])

    before = wait_for(system.bytes_staged, "the first frames on disk")
    wait_for(lambda: system.bytes_staged() > before, "the files to grow")
    wait_for(lambda: all(map(len, system.files().values())), "files of every board")
    wait_for(lambda: all(r["growing"] and r["last_event"] for r in system.status()["data_routers"]), "rates")

    system.do("stop")
    assert not any(board["sending"] for board in system.truth()["boards"])
    run = system.closed()
    assert (run["number"], run["title"], run["run_class"], run["verdict"]) == (number, "first light", "production", "")
    assert run["stopped_at"] > run["started_at"] >= run["requested_at"]
    check_files(system, number)


def check_files(system: System, number: int) -> None:
    """Every board's data and every server's config files are in the run's directories; staging is clean."""
    run = f"demo/run_{number:04d}"
    assert not any(system.files().values())
    moved = system.files(f"staging/{run}")
    assert {node: bool(paths) for node, paths in moved.items()} == {f"node-{board}": True for board in BOARDS}
    for paths in moved.values():
        for path in paths:
            check_frames(path)
    listed = {(file["node"], file["path"]): file for file in system.api("GET", f"/runs/{number}")[1]["files"]}
    for node, paths in moved.items():
        for path in paths:
            assert listed[node, f"/staging/{run}/{path.name}"]["size"] == path.stat().st_size
    for board, root in zip(BOARDS, system.nodes.values(), strict=True):
        backed_up = {path.name: path.read_bytes() for path in (root / "config_backup" / run).iterdir()}
        names = [f"describe-{board}.xcfg", "configure-experiment.xcfg"]
        assert backed_up == {name: (root / "configs" / name).read_bytes() for name in names}


def check_frames(path: Path) -> None:
    """Whole frames from the first byte to the last."""
    content = path.read_bytes()
    assert read_header(content).frame_size > 0
    last = list(walk(content))[-1]
    assert last.offset + last.frame_size == len(content)


def test_a_second_run_has_the_next_number_and_files_of_its_own(system: System) -> None:
    system.ready()
    number = system.status()["next_run_number"]
    for expected in (number, number + 1):
        system.do("start")
        wait_for(lambda: all(map(len, system.files().values())), "files of every board")
        system.do("stop")
        assert system.closed()["number"] == expected
        check_files(system, expected)
    assert [run["number"] for run in system.runs()][:2] == [number + 1, number]


def test_a_board_that_fails_to_configure_is_named_and_the_others_are_ready(system: System) -> None:
    system.ready()
    system.do("breakup")
    assert system.all_in("prepared")
    message = "CoBo 3 does not answer on its slow control link"
    system.fault("ecc-cobo3", "fail", operation="Configure", message=message)

    command = system.finished(system.request("configure"))
    assert command["state"] == "failed"
    assert "ecc-cobo3" in command["message"]
    assert message in command["message"]
    failed = {step["server"]: step["message"] for step in command["steps"] if step["state"] == "failed"}
    assert list(failed) == ["ecc-cobo3"]
    others = [name for name in COBOS if name != "ecc-cobo3"]
    assert {system.states()[name] for name in others} == {"ready"}
    assert system.states()["ecc-cobo3"] == "prepared"
    assert message in system.server("ecc-cobo3")["last_error"]
    reasons = system.status()["overall"]["reasons"]
    assert any("ecc-cobo3" in reason and message in reason for reason in reasons), reasons

    stages = system.status()["actions"]["start"]["stages"]
    assert [(stage["transition"], stage["servers"]) for stage in stages[:2]] == [
        ("Configure", ["ecc-cobo3"]),
        ("Configure", ["ecc-mutant"]),
    ]

    system.clear_faults()
    system.do("configure")
    assert system.all_in("ready")
    assert system.status()["overall"]["level"] == "ok"


def test_one_server_alone(system: System) -> None:
    system.ready()
    system.do("breakup", ecc_servers=["ecc-cobo7"])
    assert system.states() == {**dict.fromkeys(SERVERS, "ready"), "ecc-cobo7": "prepared"}
    system.do("configure", ecc_servers=["ecc-cobo7"])
    assert system.all_in("ready")


def test_boards_keep_their_order_at_the_hardwares_own_pace(system: System) -> None:
    system.ready()
    for action in ("breakup", "undo", "undo"):
        system.do(action)
    system.speed(1, event_rate=5)
    mutant = ["ecc-mutant"]
    order = {"describe": ([], SERVERS), "prepare": (mutant, COBOS), "configure": (COBOS, mutant)}
    for action, (first, then) in {**order, "start": (COBOS, mutant), "stop": (mutant, COBOS)}.items():
        since = system.truth()["seq"]
        command = system.request(action)
        if action == "configure":
            wait_for(lambda: system.server("ecc-cobo0")["going_to"] == "Ready", "the transition under way to be shown")
            assert system.status()["overall"]["level"] == "busy"
        assert system.finished(command, 60)["state"] == "done"
        check_order(system.journal(since), action, first, then)
    assert system.closed()["verdict"] == ""


def check_order(entries: list[dict[str, Any]], action: str, first: list[str], then: list[str]) -> None:
    """Every server was called once, those of `then` after those of `first` had ended their transition."""
    calls = [one for one in entries if one["kind"] == "call" and one["operation"] == action.capitalize()]
    called = {one["subject"]: one["seq"] for one in calls}
    ended = {one["subject"]: one["seq"] for one in entries if one["kind"] == "transition"}
    assert sorted(one["subject"] for one in calls) == sorted([*first, *then])
    assert max([ended[name] for name in first], default=0) < min(called[name] for name in then), action
