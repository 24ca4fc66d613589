"""Waking a worker up. A stalled broker blocks a publish for seconds, so a request never waits for it."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from uuid import UUID

logger = logging.getLogger(__name__)
# One thread: publishes leave in the order in which they were asked for, beside the requests.
sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")


def publish_command(command_id: UUID) -> Future[None]:
    """Tell the workers of a command; what does not get out, the sweeper publishes again."""
    return _later("run_command", str(command_id))


def publish_restart(restart_id: UUID) -> Future[None]:
    """Tell the workers that an ECC server or a data router is to be restarted."""
    return _later("run_restart", str(restart_id))


def publish_close_out(run_id: int) -> Future[None]:
    """Ask for the files of a run to be moved."""
    return _later("close_out", run_id)


def publish_set_aside() -> Future[None]:
    """Ask for stray files to be put aside."""
    return _later("set_aside")


def publish_check_files(run_id: int) -> Future[None]:
    """Ask for the files of a run to be read and judged."""
    return _later("check_files", run_id)


def publish_fetch(server_ids: Sequence[int] | None = None) -> Future[None]:
    """Ask for the lists of configurations of these ECC servers, or of all."""
    ids = None if server_ids is None else list(server_ids)
    return _later("fetch_config_sets", ids)


def publish_keep_configs(server_ids: Sequence[int]) -> Future[None]:
    """Ask for the configuration files that these ECC servers have in use."""
    return _later("keep_configs", list(server_ids))


def publish_host_key(node_id: int) -> Future[None]:
    """Ask for the host key that a node shows."""
    return _later("read_host_key", node_id)


def publish_connection_test(test_id: UUID) -> Future[None]:
    """Ask for a connection of the setup to be tried."""
    return _later("test_connection", str(test_id))


def _later(task: str, *args: object) -> Future[None]:
    # In the context of who asks, so that the message carries the id of the request.
    return sender.submit(copy_context().run, _publish, task, args)


def _publish(task: str, args: tuple[object, ...]) -> None:
    """The row is the order, so a failure here only costs time, whatever it is."""
    from kombu.exceptions import OperationalError  # not above: a request has no need of Celery

    from attpcdaq.runcontrol import tasks  # not above: what the tasks call publishes too

    try:
        getattr(tasks, task).apply_async(args=args, retry=False)
    except Exception as error:  # a request never fails for it
        is_away = isinstance(error, OperationalError | OSError)  # asked for again every few seconds: in one line
        logger.warning("could not publish %s%r: %s", task, args, error, exc_info=not is_away)
