"""Waking a worker up. A stalled broker blocks a publish for seconds, so a request never waits for it."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from uuid import UUID

logger = logging.getLogger(__name__)
# One thread: publishes leave in the order in which they were asked for, beside the requests.
sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")


def publish_command(command_id: UUID) -> Future[None]:
    """Tell the workers of a command; what does not get out, the sweeper publishes again."""
    return sender.submit(_quietly, partial(_send, "run_command", str(command_id)))


def publish_restart(restart_id: UUID) -> Future[None]:
    """Tell the workers that an ECC server or a data router is to be restarted."""
    return sender.submit(_quietly, partial(_send, "run_restart", str(restart_id)))


def publish_close_out(run_id: int) -> Future[None]:
    """Ask for the files of a run to be moved."""
    return sender.submit(_quietly, partial(_send, "close_out", run_id))


def publish_set_aside() -> Future[None]:
    """Ask for stray files to be put aside."""
    return sender.submit(_quietly, partial(_send, "set_aside"))


def publish_fetch(server_ids: Sequence[int] | None = None) -> Future[None]:
    """Ask for the lists of configurations of these ECC servers, or of all."""
    ids = None if server_ids is None else list(server_ids)
    return sender.submit(_quietly, partial(_send, "fetch_config_sets", ids))


def _send(task: str, *args: object) -> None:
    from attpcdaq.runcontrol import tasks

    getattr(tasks, task).apply_async(args=args, retry=False)


def _quietly(send: Callable[[], None]) -> None:
    """The command row is the order, so a failure here only costs time."""
    try:
        send()
    except Exception:
        logger.warning("could not publish; the sweeper will try again", exc_info=True)
