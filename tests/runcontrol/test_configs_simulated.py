"""Configurations as they were, over real sockets: files by SFTP, Configure's own answer, a change on the disk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.live.models import UsedConfig
from attpcdaq.monitor.clock import SystemClock
from attpcdaq.monitor.configs import ConfigWatch
from attpcdaq.runcontrol.proving import configs_kept
from attpcdaq.runcontrol.seeing import configurations
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from tests.runcontrol.simulated import NODE, Simulated


@pytest.fixture
def real(db: None, tmp_path: Path) -> Iterator[Simulated]:
    simulated = Simulated(tmp_path)
    yield simulated
    simulated.close()


def watch(real: Simulated) -> None:
    """One round of the monitor."""

    async def in_thread(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work)()

    async def look() -> None:
        outside = real.outside()
        await ConfigWatch(outside.nodes, in_thread, SystemClock()).look()
        await outside.close()

    async_to_sync(look)()


def test_what_the_server_loaded_is_what_lies_on_the_node(real: Simulated, tmp_path: Path) -> None:
    assert real.do("go_ready").state == "done"
    configs_kept.keep(None, real.outside)
    assert list(UsedConfig.objects.exclude(problem="").values_list("kind", "problem")) == []
    assert real.do("start").state == "done"
    run = Run.objects.get()
    files = {row.kind: row for row in run.configs.filter(source="file")}
    assert sorted(files) == ["configure", "describe", "hardware", "prepare"]
    for row in files.values():
        (on_disk,) = tmp_path.glob(f"**/{NODE}{row.path}")
        assert row.blob is not None
        assert bytes(row.blob.data) == on_disk.read_bytes()
    likeness = configurations.loaded_as_filed(run.configs.all())
    assert {kind: each.likeness for (_, kind, _), each in likeness.items()} == dict.fromkeys(files, "same")
    assert real.do("stop").state == "done"


def test_a_file_that_changes_on_the_node_is_seen_and_loaded_by_go_to_ready(real: Simulated, tmp_path: Path) -> None:
    assert real.do("go_ready").state == "done"
    configs_kept.keep(None, real.outside)
    watch(real)
    assert snapshot().ecc_servers[0].drifts == ()
    (path,) = tmp_path.glob(f"**/{NODE}/configs/configure-experiment.xcfg")
    path.write_bytes(path.read_bytes() + b"<!-- somebody was here -->\n")
    watch(real)
    (drift,) = snapshot().ecc_servers[0].drifts
    assert drift.startswith("configure-experiment.xcfg changed on disk after Prepare and Configure")
    assert real.do("go_ready").state == "done"
    configs_kept.keep(None, real.outside)
    assert snapshot().ecc_servers[0].drifts == ()
