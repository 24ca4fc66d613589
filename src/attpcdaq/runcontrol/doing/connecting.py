"""Trying a connection of the setup: asked once, within seconds, nothing changed, the outcome in words."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import EccAddress, NodeAddress, RouterQuery, RouterReading
from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.asking.connection_tests import TRIED_WITHIN
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.limits import CLOCKS_DIFFER
from attpcdaq.runcontrol.models import CommandState, ConnectionTest
from attpcdaq.runcontrol.planning.amounts import GB
from attpcdaq.runcontrol.seeing.connection_tests import Finding, as_message
from attpcdaq.topology.models import HostKey

logger = logging.getLogger(__name__)
EACH = 5.0
AT_LEAST = 0.2
LOOK_AGAIN = 0.5
CLOCK_OFF = 1.0
MOST_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is tried, with what, and until when (monotonic)."""

    target: dict[str, Any]
    node: NodeAddress | None
    outside: Outside
    deadline: float

    @property
    def left(self) -> float:
        """Seconds for the next question."""
        return min(EACH, max(self.deadline - self.outside.monotonic(), AT_LEAST))


def try_connection(test_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Try it and record what came of it; False when somebody else has it, or its time has passed."""
    return async_to_sync(carry_out)(test_id, make_outside)


async def carry_out(test_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        test = await sync_to_async(_claim)(test_id, outside.now())
        if test is None:
            return False
        findings = await _findings(test, outside)
        await sync_to_async(_end)(test_id, findings, outside.now())
        return True
    finally:
        await outside.close()


def _claim(test_id: UUID, now: datetime) -> ConnectionTest | None:
    queued = ConnectionTest.objects.filter(
        pk=test_id, state=CommandState.QUEUED, expires_at__gt=now, requested_at__lte=now + CLOCKS_DIFFER
    )
    return ConnectionTest.objects.get(pk=test_id) if queued.update(state=CommandState.RUNNING) else None


def _end(test_id: UUID, findings: list[Finding], now: datetime) -> None:
    is_bad = not findings or any(one.level == "bad" for one in findings)
    state = CommandState.FAILED if is_bad else CommandState.DONE
    running = ConnectionTest.objects.filter(pk=test_id, state=CommandState.RUNNING)
    running.update(state=state, message=as_message(findings), finished_at=now)


async def _findings(test: ConnectionTest, outside: Outside) -> list[Finding]:
    deadline = outside.monotonic() + TRIED_WITHIN.total_seconds()
    node = await sync_to_async(_node)(test.target.get("on"))
    trial = _Trial(test.target, node, outside, deadline)
    found: list[Finding] = []
    try:
        async for one in TRIALS[test.kind](trial):
            found.append(one)  # noqa: PERF401  what was found before a failure stays
    except GatewayError as error:
        found.append(Finding("bad", f"{str(error).rstrip('.')}."))
    except Exception as error:  # whatever it is, the test ends in words
        logger.exception("connection test of %s", test.target.get("name"))
        found.append(Finding("bad", f"It broke off: {error!r}."))
    return found[:MOST_FINDINGS]


def _node(row: dict[str, Any] | None) -> NodeAddress | None:
    """How the node is reached, with the keys that are pinned for its name."""
    if row is None:
        return None
    if row["access"] == "agent":
        return NodeAddress(row["name"], row["host"], row["agent_port"], access="agent")
    pinned = tuple(HostKey.objects.filter(node__name=row["name"]).values_list("key", flat=True))
    return NodeAddress(row["name"], row["host"], row["ssh_port"], row["ssh_user"], "ssh", pinned)


async def _ecc(trial: _Trial) -> AsyncIterator[Finding]:
    """State and list of configurations; then the directories and the log that the setup names."""
    target, ecc = trial.target, trial.outside.ecc
    address = EccAddress(target["name"], target["host"], target["port"])
    before = trial.outside.monotonic()
    reply = await ecc.get_state(address, trial.left)
    took = 1000 * (trial.outside.monotonic() - before)
    going = f", {transition_label(reply.transition)} under way" if reply.transition else ""
    yield Finding("ok", f"The ECC server answers in {took:.0f} ms: {state_label(reply.state)}{going}.")
    listed, wanted = await ecc.get_config_ids(address, trial.left), target["describe_name"]
    fit = sum(one.describe == wanted for one in listed)
    if not wanted:
        yield Finding("ok" if listed else "warn", f"It lists {len(listed)} configurations.")
    else:
        words = f"{fit} of the {len(listed)} configurations that it lists have the describe name {wanted}."
        yield Finding("ok" if fit else "bad", words)
    async for one in _places(trial):
        yield one


async def _on_node(trial: _Trial) -> AsyncIterator[Finding]:
    """A log-in and the clock over SSH; the answer of an agent."""
    node, nodes = trial.node, trial.outside.nodes
    assert node is not None  # it is the target itself
    if node.access == "agent":
        await nodes.read_routers(node, [], trial.left)
        yield Finding("ok", "Its HTTP agent answers.")
        return
    clock = await nodes.read_clock(node, trial.left)
    yield Finding("ok", f"The log-in works{f' as {node.user}' if node.user else ''}, and commands are run.")
    off = abs(clock.offset)
    words = f"Its clock is {off:.3f} s {'ahead of' if clock.offset >= 0 else 'behind'} ours."
    yield Finding("ok" if off < CLOCK_OFF else "warn", words)


async def _router(trial: _Trial) -> AsyncIterator[Finding]:
    """Its process, whether that hears, its staging directory and its log."""
    target, node = trial.target, trial.node
    if node is None:
        yield Finding("bad", f"There is no node {target['node']} on which to look for it.")
        return
    query = RouterQuery(
        target["name"], target["process_name"], target["port"], target["staging_dir"], target["log_file"]
    )
    seen = await _look(trial, node, query)
    if isinstance(seen, RouterReading) and seen.pid is not None and seen.hears is None and node.access == "ssh":
        # Deaf is believed when it is seen twice.
        await trial.outside.sleep(LOOK_AGAIN)
        seen = await _look(trial, node, query)
    if isinstance(seen, GatewayError):
        raise seen
    yield _process(seen, query)
    free = f", {seen.disk_free / GB:.1f} GB are free there" if seen.disk_free is not None else ""
    files = seen.counted[0] if seen.counted else len(seen.files)
    yield Finding("ok", f"{query.staging_dir} is there and holds {files} data files{free}.")
    async for one in _places(trial):
        yield one


async def _look(trial: _Trial, node: NodeAddress, query: RouterQuery) -> RouterReading | GatewayError:
    return (await trial.outside.nodes.read_routers(node, [query], trial.left))[query.name]


def _process(seen: RouterReading, query: RouterQuery) -> Finding:
    if not seen.online:
        return Finding("bad", f"No {query.process_name} with the data port {query.port} runs on its node.")
    who = f"{query.process_name} runs" + (f" (process {seen.pid})" if seen.pid else "")
    if seen.hears is False:
        return Finding("bad", f"{who}, but does not listen on port {query.port}: another program may have taken it.")
    return Finding("ok", f"{who}{f' and listens on port {query.port}' if seen.hears else ''}.")


async def _places(trial: _Trial) -> AsyncIterator[Finding]:
    """Whether the directory and the log that the setup names are there; what a node cannot tell is passed over."""
    node, nodes = trial.node, trial.outside.nodes
    if node is None or not nodes.abilities(node).files:
        return
    if directory := trial.target.get("config_dir"):
        try:
            await nodes.list_graw(node, directory, trial.left)
            yield Finding("ok", f"The directory of its configurations {directory} is there.")
        except Refused as error:
            yield Finding("warn", f"{error}.")
    if log := trial.target.get("log_file"):
        is_there = (await nodes.stat_files(node, [log], trial.left))[log] is not None
        yield Finding("ok" if is_there else "warn", f"Its log file {log} is {'' if is_there else 'not '}there.")


TRIALS: dict[str, Callable[[_Trial], AsyncIterator[Finding]]] = {"ecc": _ecc, "node": _on_node, "router": _router}
