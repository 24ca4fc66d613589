"""Configurations as they were, through all processes: kept for a run, compared, and a change on a node seen."""

import hashlib
from pathlib import Path
from typing import Any

from tests.e2e.system import SERVERS, System
from tests.e2e.waiting import wait_for

KINDS = ["configure", "describe", "hardware", "prepare"]


def kept(system: System, number: int) -> list[dict[str, Any]]:
    """The files of a run, once all of them are read."""
    rows: list[dict[str, Any]] = system.api("GET", f"/runs/demo/{number}/configuration")[1]
    files = [row for row in rows if row["source"] == "file"]
    return files if len(files) == len(KINDS) * len(SERVERS) and all(row["loaded_is"] for row in files) else []


def configure_file(system: System, server: str) -> Path:
    return system.nodes[server.replace("ecc-", "node-")] / "configs/configure-experiment.xcfg"


def test_a_run_keeps_what_it_was_set_up_with_and_a_change_is_seen(system: System) -> None:
    system.ready()
    number = system.status()["next_run_number"]
    system.do("start")
    files = wait_for(lambda: kept(system, number), "the files of the run")
    assert {row["loaded_is"] for row in files} == {"same"}
    assert {row["kind"] for row in files} == set(KINDS)
    path = configure_file(system, "ecc-cobo3")
    before = path.read_bytes()
    (mine,) = [row for row in files if (row["ecc_server"], row["kind"]) == ("ecc-cobo3", "configure")]
    assert mine["sha256"] == hashlib.sha256(before).hexdigest()
    try:
        path.write_bytes(before.replace(b">512<", b">256<", 1))
        drifts = wait_for(lambda: system.server("ecc-cobo3")["drifts"], "the drift to be seen", 40)
        assert drifts[0].startswith("configure-experiment.xcfg changed on disk after ")
        assert "changed on disk" not in str(system.status()["overall"])
        pairs = system.api("GET", f"/configurations/diff?a=demo/{number}&b=now")[1]
        changed = [pair for pair in pairs if pair["likeness"] == "different"]
        assert {pair["kind"] for pair in changed} == {"prepare", "configure"}
        assert all(pair["ecc_servers"] == ["ecc-cobo3"] for pair in changed)
        assert changed[0]["differences"] == [
            {"group": "CoBo[*]", "parameter": "Module/readoutDepth", "old": "512", "new": "256"}
        ]
    finally:
        path.write_bytes(before)
        system.do("stop")
    assert system.closed()["number"] == number
    wait_for(lambda: not system.server("ecc-cobo3")["drifts"], "the drift to be over", 40)
    assert kept(system, number) == files
