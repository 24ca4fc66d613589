"""Carrying a restart out: run the command on the node, and believe only what is seen afterwards."""

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from structlog.contextvars import bound_contextvars

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer
from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.asking.restarts import Part, end, in_time, say
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.live_wait import idle_shown, process_shown
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.limits import RESTART_LIMIT
from attpcdaq.runcontrol.models import CommandState, Restart
from attpcdaq.topology import wiring
from attpcdaq.topology.models import DataRouter, ECCServer, LinkType
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition

logger = logging.getLogger(__name__)
# Seconds: half of what a restart may take.
COMMAND_LIMIT = 30.0
READ_TIMEOUT = 2.0
NODE_TIMEOUT = 5.0
LOOK_EVERY = 0.5
AT_LEAST = 0.5
SHOWN_OUTPUT = 400
GONE = "It is not set up any more. Nothing was done."


class _Failed(Exception):
    """The restart did not come about; the text is for the crew."""


def execute_restart(restart_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Carry out a queued restart; False when somebody else has it, or its time has passed."""
    return async_to_sync(carry_out)(restart_id, make_outside)


async def carry_out(restart_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        restart = await sync_to_async(_claim)(restart_id, outside.now())
        if restart is None:
            return False
        with bound_contextvars(command=str(restart_id)):
            async with beating(partial(_heartbeat, restart_id), outside):
                state, message = await _outcome(restart, outside)
            logger.info("restart of %s %s: %s", restart.subject, state, message)
            await sync_to_async(end)(restart_id, state, message, outside.now())
        return True
    finally:
        await outside.close()


def _claim(restart_id: UUID, now: datetime) -> Restart | None:
    """Take it if nobody has and its time has not passed: exactly one caller gets it."""
    queued = Restart.objects.filter(in_time(now), pk=restart_id, state=CommandState.QUEUED)
    if not queued.update(state=CommandState.RUNNING, claimed_at=now, heartbeat_at=now):
        return None
    rows = Restart.objects.select_related("ecc_server__node", "data_router__node")
    restart = rows.prefetch_related("ecc_server__node__host_keys", "data_router__node__host_keys").get(pk=restart_id)
    say(restart, "", now)
    logger.info("%s:%d restarts %s with %r", socket.gethostname(), os.getpid(), restart.subject, restart.command)
    return restart


def _heartbeat(restart_id: UUID, now: datetime) -> None:
    Restart.objects.filter(pk=restart_id, state=CommandState.RUNNING).update(heartbeat_at=now)


async def _outcome(restart: Restart, outside: Outside) -> tuple[str, str]:
    deadline = outside.monotonic() + RESTART_LIMIT
    try:
        if restart.ecc_server is not None:
            return CommandState.DONE, await _restart_ecc(restart.ecc_server, restart.command, outside, deadline)
        if restart.data_router is not None:
            return CommandState.DONE, await _restart_router(restart.data_router, restart.command, outside, deadline)
        return CommandState.FAILED, GONE
    except _Failed as failure:
        return CommandState.FAILED, str(failure)
    except Exception as error:  # whatever it is, the restart ends in words
        logger.exception("restart of %s", restart.subject)
        return CommandState.FAILED, f"It broke off: {error!r}. The state shown is what the hardware says."


async def _restart_ecc(server: ECCServer, command: str, outside: Outside, deadline: float) -> str:
    """Done when the server answers and is Idle, as only a new process is (facts 2.4)."""
    before = await _ecc_reading(server, outside, deadline)
    doubt = await _run(server, command, outside, deadline)
    # An Idle server that is still Idle proves nothing while nobody knows whether the command did its work.
    provable = not doubt or not _is_idle(before)
    while True:
        after = await _ecc_reading(server, outside, deadline)
        if provable and _is_idle(after):
            await idle_shown(server.pk, outside)
            return f"{server.name} answers again and is Idle. Go to Ready takes it on from there."
        if outside.monotonic() >= deadline:
            raise _Failed(f"{doubt} {_ecc_words(server, after)}".strip())
        await outside.sleep(LOOK_EVERY)


async def _ecc_reading(server: ECCServer, outside: Outside, deadline: float) -> StateReply | GatewayError:
    timeout = min(READ_TIMEOUT, max(deadline - outside.monotonic(), AT_LEAST))
    try:
        return await outside.ecc.get_state(wiring.ecc_address(server), timeout)
    except GatewayError as error:
        return error


def _is_idle(reading: StateReply | GatewayError) -> bool:
    return isinstance(reading, StateReply) and (reading.state, reading.transition) == (State.IDLE, Transition.NONE)


def _ecc_words(server: ECCServer, reading: StateReply | GatewayError) -> str:
    if isinstance(reading, GatewayError):
        return f"{server.name} did not come back within {RESTART_LIMIT:g} s: {reading}"
    if _is_idle(reading):
        return f"{server.name} is Idle, as it was before: whether it was restarted cannot be told."
    going = f", {transition_label(reading.transition)} under way" if reading.transition else ""
    return f"{server.name} is {state_label(reading.state)}{going}, not Idle: it was not restarted."


async def _restart_router(router: DataRouter, command: str, outside: Outside, deadline: float) -> str:
    """Done when another process than before is seen in its place."""
    before = await _router_reading(router, outside, deadline)
    doubt = await _run(router, command, outside, deadline)
    provable = not doubt or not isinstance(before, GatewayError)
    while True:
        after = await _router_reading(router, outside, deadline)
        if provable and isinstance(after, int) and after not in (0, before):
            await process_shown(router.pk, after, outside)
            return f"{router.name} runs again (process {after}). {_what_next(router)}"
        if outside.monotonic() >= deadline:
            raise _Failed(f"{doubt} {_router_words(router, before, after)}".strip())
        await outside.sleep(LOOK_EVERY)


async def _router_reading(router: DataRouter, outside: Outside, deadline: float) -> int | GatewayError:
    """Its process id, 0 while it does not run."""
    timeout = min(NODE_TIMEOUT, max(deadline - outside.monotonic(), AT_LEAST))
    try:
        seen = await outside.nodes.read_routers(
            wiring.node_address(router.node), [wiring.router_query(router)], timeout
        )
    except GatewayError as error:
        return error
    reading = seen[router.name]
    return reading if isinstance(reading, GatewayError) else reading.pid or 0


def _router_words(router: DataRouter, before: int | GatewayError, after: int | GatewayError) -> str:
    if isinstance(after, GatewayError):
        return f"{router.name} cannot be seen: {after}"
    if after == 0:
        return f"{router.name} is not running {RESTART_LIMIT:g} s later."
    if after == before:
        return f"{router.name} is still the same process ({after}): it was not restarted."
    return f"{router.name} runs (process {after}), but whether it was restarted cannot be told: {before}"


def _what_next(router: DataRouter) -> str:
    if router.link_type == LinkType.FDT:
        return "Its board connects at the next Start."
    return "Its board must go through Breakup and Configure; Go to Ready does that."


async def _run(part: Part, command: str, outside: Outside, deadline: float) -> str:
    """Run the command; empty when it ended well, else why that is not known. _Failed when it certainly did not."""
    node = wiring.node_address(part.node)
    limit = min(COMMAND_LIMIT, max(deadline - outside.monotonic(), AT_LEAST))
    try:
        result = await outside.nodes.run_command(node, command, limit)
    except (NoAnswer, BadReply) as error:
        return f"What {command!r} did is not known: {error}."
    except GatewayError as error:
        raise _Failed(f"{error}. Nothing was done.") from error
    if result.exit_status:
        said = result.output[-SHOWN_OUTPUT:] or "it said nothing"
        raise _Failed(f"{command!r} on {part.node.name} ended with status {result.exit_status}: {said}")
    return ""
