"""The config files of a run, copied on each ECC server's node to `<backup dir>/<experiment>/run_NNNN/`."""

import asyncio
from collections.abc import Collection
from pathlib import PurePosixPath

from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runlog import run_files
from attpcdaq.runlog.models import Run, RunFile
from attpcdaq.topology.models import ConfigSet, ECCServer
from attpcdaq.topology.wiring import node_address

COPY_TIMEOUT = 30.0


def config_file_names(chosen: ConfigSet) -> list[str]:
    """The files really read: Prepare loads the configure- file of its name, there is no prepare- file (facts 3)."""
    return list(
        dict.fromkeys(
            [
                f"describe-{chosen.describe}.xcfg",
                f"configure-{chosen.prepare}.xcfg",
                f"configure-{chosen.configure}.xcfg",
            ]
        )
    )


async def backup_configs(run: Run, outside: Outside, without: Collection[str] = ()) -> str:
    """Copy the config files of every ECC server that names its directories; what went wrong, in words.

    Servers that the run went on without from its beginning are left out.
    """
    servers = await sync_to_async(_servers)(without)
    problems = await asyncio.gather(*(_backup_one(run, server, outside) for server in servers))
    return " ".join(filter(None, problems))


def _servers(without: Collection[str]) -> list[ECCServer]:
    named = ECCServer.objects.exclude(config_dir="").exclude(backup_dir="").filter(config_set__isnull=False)
    return list(
        named.exclude(name__in=without).select_related("node", "config_set").prefetch_related("node__host_keys")
    )


async def _backup_one(run: Run, server: ECCServer, outside: Outside) -> str:
    assert server.config_set is not None  # selected above
    names = config_file_names(server.config_set)
    destination = str(PurePosixPath(server.backup_dir) / run.directory)
    node = node_address(server.node)
    try:
        copied = await outside.nodes.copy_files(node, server.config_dir, names, destination, COPY_TIMEOUT)
    except GatewayError as error:
        return f"{server.name}: config files were not backed up: {error}"
    found = [(file.path, file.size) for file in copied]
    await sync_to_async(run_files.note)(run.pk, node.name, server.name, RunFile.Kind.CONFIG, found)
    return ""
