"""Configuration files worth the name under the rig, and what is kept of them."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.live.models import Event, UsedConfig
from attpcdaq.monitor.configs import ConfigWatch
from attpcdaq.runcontrol.proving import configs_kept
from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.testing.builders import CONFIGS
from tests.protocol.recorded import recorded
from tests.runcontrol.rig import Rig

DESCRIBE = b"""<?xml version="1.0" encoding="UTF-8"?>
<Setup id="Hardware"><Node id="CoBo"><Instance id="0"><HardwareConfigId>full</HardwareConfigId><Endpoint>
<addressField id="0">127</addressField><addressField id="1">0</addressField><addressField id="2">1</addressField>
<addressField id="3">1</addressField><port>46001</port></Endpoint></Instance></Node></Setup>
"""
CONFIGURE = recorded("configs", "configure-experiment.xcfg")
HARDWARE = b'<Setup id="Hardware"><Device id="debug"/></Setup>'


def with_files(rig: Rig) -> Rig:
    """With files on the node of the first CoBo."""
    put(rig, "describe-cobo0.xcfg", DESCRIBE)
    put(rig, "configure-experiment.xcfg", CONFIGURE)
    put(rig, "hardwareDescription_full.xcfg", HARDWARE)
    return rig


def put(rig: Rig, name: str, data: bytes, mtime: float = 1000.0) -> None:
    rig.nodes.write("node-cobo0", f"{CONFIGS}/{name}", data, mtime=mtime)


def remove(rig: Rig, name: str) -> None:
    del rig.nodes.nodes["node-cobo0"].directories[CONFIGS][name]


def keep(rig: Rig) -> None:
    configs_kept.keep(None, rig.outside)


def watch(rig: Rig) -> None:
    """One round of the monitor."""

    async def in_thread(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work)()

    async def look() -> None:
        await ConfigWatch(rig.nodes, in_thread, rig.time).look()

    async_to_sync(look)()


def used(server: str = "ecc-cobo0") -> dict[tuple[str, str, str], bytes | None]:
    rows = UsedConfig.objects.filter(ecc_server__name=server).select_related("blob")
    return {(row.kind, row.source, row.name): bytes(row.blob.data) if row.blob else None for row in rows}


def kept(run: Run, server: str = "ecc-cobo0") -> dict[tuple[str, str, str], bytes | None]:
    rows = RunConfig.objects.filter(run=run, server=server).select_related("blob")
    return {(row.kind, row.source, row.name): bytes(row.blob.data) if row.blob else None for row in rows}


def events(subject: str = "ecc-cobo0") -> list[str]:
    return list(Event.objects.filter(subject=subject).exclude(text="").order_by("id").values_list("text", flat=True))
