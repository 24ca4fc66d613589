"""From the last board seen stopped until the run is closed, with many files in every staging directory."""

import shutil
from datetime import datetime
from pathlib import Path

from bench.figures import Figure
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

TRIALS = 3


def closeout(system: System, files: int, trials: int = TRIALS) -> Figure:
    """Seconds from `stopped_at` to `closed_at`, with that many files of each of 11 data routers."""
    return Figure(tuple(_one(system, files) for _ in range(trials)), "the quiet time of 0.5 s included")


def _one(system: System, files: int) -> float:
    system.ready()
    wait_for(lambda: system.status()["actions"]["start"]["allowed"], "that a run may start")
    system.do("start")
    wait_for(lambda: all(map(len, system.files().values())), "files of every board")
    for paths in system.files().values():
        _fill(paths, files)
    system.do("stop")
    run = system.closed()
    assert run["verdict"] == "", run
    moved = system.files(f"staging/demo/run_{run['number']:04d}")
    assert all(len(paths) >= files for paths in moved.values()), moved
    assert not any(system.files().values()), "files are left in staging"
    stopped, closed = (datetime.fromisoformat(run[key]) for key in ("stopped_at", "closed_at"))
    return (closed - stopped).total_seconds()


def _fill(paths: list[Path], files: int) -> None:
    """As many files as a long run makes: the same source, one index after the other."""
    for number in range(len(paths), files):
        shutil.copy(paths[0], paths[0].with_name(paths[0].name.replace("_0000.", f"_{number:04d}.")))
