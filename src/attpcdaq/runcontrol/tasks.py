"""Celery tasks: claim, call, record."""

from uuid import UUID

from celery import shared_task

from attpcdaq.runcontrol.closing import close_out as files
from attpcdaq.runcontrol.closing import gathering
from attpcdaq.runcontrol.doing import configs_fetch, host_keys
from attpcdaq.runcontrol.doing.connecting import try_connection
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.restarting import execute_restart
from attpcdaq.runcontrol.proving import configs_kept, manifesting


@shared_task
def run_command(command_id: str) -> None:
    execute(UUID(command_id))


@shared_task
def run_restart(restart_id: str) -> None:
    execute_restart(UUID(restart_id))


@shared_task
def close_out(run_id: int) -> None:
    files.close_out(run_id)


@shared_task
def set_aside() -> None:
    gathering.gather()


@shared_task
def fetch_config_sets(server_ids: list[int] | None = None) -> None:
    configs_fetch.fetch(server_ids)


@shared_task
def keep_configs(server_ids: list[int] | None = None) -> None:
    configs_kept.keep(server_ids)


@shared_task
def check_files(run_id: int) -> None:
    manifesting.check_files(run_id)


@shared_task
def read_host_key(node_id: int) -> None:
    host_keys.read(node_id)


@shared_task
def test_connection(test_id: str) -> None:
    try_connection(UUID(test_id))
