"""Logs are read while somebody looks at them: each second, only what changed, and none waits for another."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from attpcdaq.gateways.errors import Unreachable
from attpcdaq.gateways.ports import FileStat, NodeAddress, Tail
from attpcdaq.live import log_tails
from attpcdaq.live.lease import LeaseLostError
from attpcdaq.live.models import LogKind, LogTail
from attpcdaq.monitor.log_watch import LogWatch
from attpcdaq.testing.builders import build_detector
from attpcdaq.testing.clock import ManualClock
from attpcdaq.testing.memory_agents import MemoryAgents
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology.models import Access, DataRouter, ECCServer, Node

pytestmark = pytest.mark.django_db
ECC_LOG, ROUTER_LOG = "/logs/ecc.log", "/logs/router.log"
ECC, ROUTER = ("ecc", "ecc-cobo0"), ("router", "router-cobo0")


class CountingNodes(MemoryNodes):
    """Says how often an end was read."""

    reads = 0

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        self.reads += 1
        return await super().read_tail(node, path, most, timeout)


async def in_thread(work: Callable[[], Any]) -> Any:
    return await sync_to_async(work)()


@dataclass
class Rig:
    """Two nodes with a log of each kind, and the watch on them, whose time is ours."""

    nodes: CountingNodes
    clock: ManualClock
    watch: LogWatch

    def second(self, rounds: int = 1) -> None:
        """A round, and the end of all that it began."""

        async def look() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(rounds):
                    await self.clock.advance(1)
                    await self.watch.begin(group)

        async_to_sync(look)()

    def row(self, key: tuple[str, str] = ECC) -> LogTail:
        return LogTail.objects.get(kind=key[0], name=key[1])

    def seen(self, key: tuple[str, str] = ECC) -> bytes:
        return bytes(self.row(key).data)


@pytest.fixture
def rig() -> Rig:
    build_detector(cobos=2, mutant=False)
    ECCServer.objects.update(log_file=ECC_LOG)
    DataRouter.objects.update(log_file=ROUTER_LOG)
    clock = ManualClock()
    nodes = CountingNodes(sleep=clock.sleep, wall_time=lambda: clock.now().timestamp())
    for name in ("node-cobo0", "node-cobo1"):
        nodes.add(name)
        nodes.write(name, ECC_LOG, b"the ECC server of " + name.encode() + b"\n")
        nodes.write(name, ROUTER_LOG, b"the data router\n")
    return Rig(nodes, clock, LogWatch(nodes, in_thread, clock))


def test_nothing_is_read_that_nobody_looks_at(rig: Rig) -> None:
    with CaptureQueriesContext(connection) as asked:
        rig.second(5)
    assert rig.nodes.reads == 0
    assert len(asked) == 5


def test_who_looks_sees_it_within_a_second_and_what_follows(rig: Rig) -> None:
    log_tails.want(*ECC)
    log_tails.want(*ROUTER)
    rig.second()
    assert rig.seen() == b"the ECC server of node-cobo0\n"
    assert rig.seen(ROUTER) == b"the data router\n"
    assert (rig.row().path, rig.row().size, rig.row().read_at) == (ECC_LOG, 29, rig.clock.now())
    rig.nodes.append("node-cobo0", ECC_LOG, b"more\n")
    rig.second()
    assert rig.seen() == b"the ECC server of node-cobo0\nmore\n"


def test_what_has_not_changed_is_not_read_again(rig: Rig) -> None:
    log_tails.want(*ECC)
    for _ in range(4):
        rig.second()
    assert rig.nodes.reads == 1
    assert rig.row().read_at == rig.clock.now()
    rig.nodes.write("node-cobo0", ECC_LOG, b"rotated, and as long as before\n"[:29])
    rig.second()
    assert rig.seen().startswith(b"rotated")


def test_only_the_end_is_read(rig: Rig) -> None:
    rig.nodes.write("node-cobo0", ECC_LOG, b"x" * 1_000_000 + b"\nthe end\n")
    log_tails.want(*ECC)
    rig.second()
    assert len(rig.seen()) == 64 * 1024
    assert rig.seen().endswith(b"\nthe end\n")
    assert rig.row().size == 1_000_009


def test_nobody_looks_any_more(rig: Rig) -> None:
    log_tails.want(*ECC)
    rig.second()
    LogTail.objects.update(wanted_until=Now() - timedelta(seconds=1))
    rig.nodes.append("node-cobo0", ECC_LOG, b"more\n")
    rig.second()
    assert rig.nodes.reads == 1
    log_tails.want(*ECC)
    rig.second()
    assert rig.seen().endswith(b"more\n")


def test_a_file_that_is_removed_and_comes_back(rig: Rig) -> None:
    log_tails.want(*ECC)
    rig.second()
    gone = rig.nodes.nodes["node-cobo0"].directories["/logs"].pop("ecc.log")
    rig.second()
    assert "there is no such file" in rig.row().problem
    assert rig.seen().startswith(b"the ECC server")
    rig.nodes.nodes["node-cobo0"].put(ECC_LOG, gone)
    rig.second()
    assert rig.row().problem == ""


def test_a_node_that_is_away_is_told_and_its_last_words_stay(rig: Rig) -> None:
    log_tails.want(*ECC)
    rig.second()
    rig.nodes.take_down("node-cobo0", Unreachable("node-cobo0: no route to host"))
    rig.second()
    assert rig.row().problem == "node-cobo0: no route to host"
    assert rig.seen().startswith(b"the ECC server")


def test_a_log_that_hangs_holds_up_no_other() -> None:
    answer = asyncio.Event()

    class Hanging(CountingNodes):
        async def stat_files(
            self, node: NodeAddress, paths: Sequence[str], timeout: float
        ) -> Mapping[str, FileStat | None]:
            if node.name == "node-cobo0":
                hung.append(node.name)
                await answer.wait()
            return await super().stat_files(node, paths, timeout)

    async def look() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                nodes.write("node-cobo1", ECC_LOG, b"line\n" * (number + 1))
                async with asyncio.timeout(10):
                    while nodes.reads <= number:
                        await watch.begin(group)
            answer.set()

    hung: list[str] = []
    build_detector(cobos=2, mutant=False)
    ECCServer.objects.update(log_file=ECC_LOG)
    nodes = Hanging()
    for name in ("node-cobo0", "node-cobo1"):
        nodes.add(name)
    watch = LogWatch(nodes, in_thread, ManualClock())
    log_tails.want(*ECC)
    log_tails.want("ecc", "ecc-cobo1")
    async_to_sync(look)()
    assert hung == ["node-cobo0"]
    assert bytes(LogTail.objects.get(name="ecc-cobo1").data) == b"line\n" * 3
    assert "there is no such file" in LogTail.objects.get(name="ecc-cobo0").problem


def test_another_path_is_another_file(rig: Rig) -> None:
    log_tails.want(*ECC)
    rig.second()
    ECCServer.objects.filter(name="ecc-cobo0").update(log_file="/logs/other.log")
    rig.second()
    assert (rig.seen(), rig.row().path) == (b"", "/logs/other.log")
    assert "there is no such file" in rig.row().problem


def test_what_the_setup_knows_no_file_of_is_left_alone(rig: Rig) -> None:
    ECCServer.objects.filter(name="ecc-cobo0").update(log_file="")
    for name in ("ecc-cobo0", "nobody"):
        log_tails.want("ecc", name)
    rig.second()
    assert LogTail.objects.filter(read_at__isnull=False).count() == 0


def test_a_node_with_an_agent_says_what_it_cannot(rig: Rig) -> None:
    Node.objects.update(access=Access.AGENT)
    log_tails.want(*ECC)
    rig.watch = LogWatch(MemoryAgents(rig.nodes, {"node-cobo0": "/staging"}), in_thread, rig.clock)
    rig.second()
    assert "its HTTP agent, which cannot read logs" in rig.row().problem


async def test_a_database_that_is_away_is_asked_again() -> None:
    asked: list[object] = []

    async def carry(work: Callable[[], Any]) -> Any:
        asked.append(work)
        if len(asked) < 3:
            raise DatabaseError("away")
        return []

    clock = ManualClock()
    task = asyncio.create_task(LogWatch(MemoryNodes(), carry, clock).run())
    await clock.advance(4)
    task.cancel()
    assert len(asked) == 4


def test_what_could_not_be_written_is_read_again(rig: Rig) -> None:
    carried: list[object] = []

    async def lose_the_first_writing(work: Callable[[], Any]) -> Any:
        carried.append(work)
        if len(carried) == 2:
            raise DatabaseError("away")
        return await in_thread(work)

    rig.watch = LogWatch(rig.nodes, lose_the_first_writing, rig.clock)
    log_tails.want(*ECC)
    rig.second()
    assert (len(carried), rig.seen()) == (2, b"")
    rig.second()
    assert rig.seen() == b"the ECC server of node-cobo0\n"


async def test_it_ends_with_the_lease() -> None:
    async def carry(work: Callable[[], Any]) -> Any:
        raise LeaseLostError

    clock = ManualClock()
    task = asyncio.create_task(LogWatch(MemoryNodes(), carry, clock).run())
    await clock.advance(1)
    with pytest.raises(ExceptionGroup) as ended:
        await task
    assert ended.group_contains(LeaseLostError)


def test_who_looks_all_the_time_writes_seldom() -> None:
    log_tails.want(*ECC)
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            log_tails.want(*ECC)
    assert [query for query in asked if not query["sql"].startswith("SELECT")] == []
    LogTail.objects.update(wanted_until=Now() + timedelta(seconds=9))
    log_tails.want(*ECC)
    assert LogTail.objects.filter(wanted_until__gt=Now() + timedelta(seconds=14)).count() == 1
    assert LogKind(LogTail.objects.get().kind) is LogKind.ECC
