"""The event stream: what one missed, what comes, a beat a second; nobody waits for anybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import AsyncClient, Client
from django.utils import timezone

from attpcdaq.live import store
from attpcdaq.live.models import Event
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import event_feed
from attpcdaq.web.hub import END, QUEUE_LENGTH, Hub
from attpcdaq.web.stream import messages, moment_of
from get_protocol.state_machine import State
from tests.web.people import observer
from tests.web.seen import see

pytestmark = pytest.mark.django_db(transaction=True)
DEADLINE = 10.0

add_event = sync_to_async(store.add_event)


class Reader:
    """Reads a stream message by message, as a browser does."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts
        self._text = ""

    async def next(self) -> dict[str, str]:
        """The next message as its fields."""
        async with asyncio.timeout(DEADLINE):
            while "\n\n" not in self._text:
                self._text += (await anext(self._parts)).decode()
        message, self._text = self._text.split("\n\n", 1)
        return dict(line.split(": ", 1) for line in message.split("\n"))

    async def until(self, kind: str) -> dict[str, str]:
        """The next message of a kind."""
        async with asyncio.timeout(DEADLINE):
            while (message := await self.next()).get("event") != kind:
                pass
        return message

    async def topics(self) -> list[str]:
        return json.loads((await self.until("change"))["data"])["topics"]


@asynccontextmanager
async def reading(hub: Hub, last: str = "") -> AsyncIterator[Reader]:
    """A stream which has begun: its first beat was read when nothing was missed."""
    parts = messages(hub, last)
    try:
        yield Reader(parts)
    finally:
        await parts.aclose()


@pytest.fixture
def hub() -> Hub:
    return Hub()


class TestWhatComes:
    async def test_it_begins_with_the_time_to_retry_and_a_beat(self, hub: Hub) -> None:
        async with reading(hub) as stream:
            assert (await stream.next())["retry"] == "500"
            beat = json.loads((await stream.next())["data"])
            assert abs(beat["now"] - timezone.now().timestamp()) < DEADLINE
            assert (beat["monitor"], beat["ecc"], beat["routers"]) == (None, {}, {})

    async def test_a_new_event_is_told_with_id_and_topic(self, hub: Hub) -> None:
        async with reading(hub) as stream:
            await stream.until("beat")
            event = await add_event("run", "Run 1 is running")
            change = await stream.until("change")
            assert (change["id"], json.loads(change["data"])) == (str(event.pk), {"topics": ["run", "said"]})

    async def test_a_burst_is_few_messages_and_loses_no_topic(self, hub: Hub) -> None:
        async with reading(hub) as stream:
            await stream.until("beat")
            for number in range(30):
                await add_event(("ecc", "router", "command")[number % 3])
            last, told, count = str((await Event.objects.afirst()).pk), set(), 0
            while True:
                change = await stream.until("change")
                told, count = told | set(json.loads(change["data"])["topics"]), count + 1
                if change["id"] == last:
                    break
            assert told == {"ecc", "router", "command"}
            assert count < 30

    async def test_beats_say_when_everything_was_last_seen(self, hub: Hub) -> None:
        detector = await sync_to_async(build_detector)(cobos=1)
        now = timezone.now()
        await sync_to_async(see)(detector, State.READY, now=now)
        async with reading(hub) as stream:
            beats = [json.loads((await stream.until("beat"))["data"]) for _ in range(3)]
        assert beats[2]["now"] - beats[1]["now"] > 0.5
        assert beats[-1]["monitor"] == pytest.approx(now.timestamp())
        assert beats[-1]["ecc"] == {str(server.pk): pytest.approx(now.timestamp()) for server in detector.ecc_servers}
        assert set(beats[-1]["routers"]) == {str(router.pk) for router in detector.data_routers}

    async def test_many_listeners_get_the_same(self, hub: Hub) -> None:
        async with reading(hub) as one, reading(hub) as other:
            await one.until("beat")
            await other.until("beat")
            await add_event("setup")
            assert await one.topics() == await other.topics() == ["setup"]

    async def test_it_reads_nothing_when_nobody_listens_and_begins_again(self, hub: Hub) -> None:
        for _ in range(2):
            async with reading(hub) as stream:
                await stream.until("beat")
                await add_event("ecc")
                assert await stream.topics() == ["ecc"]
            assert asyncio.all_tasks() == {asyncio.current_task()}


class TestResuming:
    async def test_what_was_missed_comes_first(self, hub: Hub) -> None:
        seen = await add_event("ecc")
        await add_event("run")
        missed = await add_event("command")
        async with reading(hub, str(seen.pk)) as stream:
            change = await stream.until("change")
            assert change["id"] == str(missed.pk)
            assert {"run", "command"} <= set(json.loads(change["data"])["topics"])

    async def test_nothing_was_missed(self, hub: Hub) -> None:
        seen = await add_event("ecc")
        async with reading(hub, str(seen.pk)) as stream:
            await stream.next()
            assert (await stream.next())["event"] == "beat"

    @pytest.mark.parametrize("last", ["999999", "0", "-1", "abc", "٣"])
    async def test_an_unknown_id_means_begin_anew(self, hub: Hub, last: str) -> None:
        latest = await add_event("ecc")
        async with reading(hub, last) as stream:
            assert (await stream.until("reset"))["id"] == str(latest.pk)

    def test_an_id_that_is_too_old_means_begin_anew(self) -> None:
        seen = store.add_event("ecc", at=timezone.now() - timedelta(hours=2))
        latest = store.add_event("run")
        assert event_feed.resume(str(seen.pk)) == event_feed.reset(latest.pk)

    def test_an_id_that_was_cleared_away_means_begin_anew(self) -> None:
        seen = store.add_event("ecc", at=timezone.now() - timedelta(hours=2))
        latest = store.add_event("run", "Run 1 is running")
        store.forget_refreshes(timezone.now())
        assert event_feed.resume(str(seen.pk)) == event_feed.reset(latest.pk)

    def test_what_was_written_long_before_the_page_was_made_is_in_it(self) -> None:
        now = timezone.now()
        for seconds in (60, 30):
            seen = store.add_event("ecc", at=now - timedelta(seconds=seconds))
        assert event_feed.resume(str(seen.pk), drawn=now) is None
        late = event_feed.resume(str(seen.pk), drawn=now - timedelta(seconds=50))
        assert late == event_feed.change(seen.pk, {"ecc"})
        missed = store.add_event("run", at=now - timedelta(seconds=30))
        assert event_feed.resume(str(seen.pk), drawn=now) == event_feed.change(missed.pk, {"run"})

    @pytest.mark.parametrize("drawn", ["", "abc", "nan", "1e300", "-1e300", "inf"])
    def test_a_page_made_at_no_time_is_told_everything(self, drawn: str) -> None:
        assert moment_of(drawn) is None

    def test_an_empty_log_has_nothing_to_resume(self) -> None:
        assert event_feed.resume("0") is None


class TestNews:
    def test_an_event_committed_late_is_told_once(self) -> None:
        """PostgreSQL gives out ids before the commit, so a lower id may appear after a higher one."""
        late = store.add_event("ecc")
        Event.objects.all().delete()
        store.add_event("run")
        news = event_feed.News()
        Event.objects.create(pk=late.pk, at=timezone.now(), topic="ecc")
        told = news.look()
        assert told is not None
        assert json.loads(told.data) == {"topics": ["ecc"]}
        assert told.id == late.pk + 1
        assert news.look() is None


class TestTrouble:
    async def test_a_slow_reader_is_told_to_begin_anew_and_holds_nobody_up(self, hub: Hub) -> None:
        async with hub.listen() as slow, reading(hub) as quick:
            await quick.until("beat")
            for _ in range(QUEUE_LENGTH + 5):
                await add_event("ecc")
                await quick.topics()
            kinds = [slow.get_nowait().kind for _ in range(slow.qsize())]
        assert "reset" in kinds
        assert len(kinds) <= QUEUE_LENGTH

    async def test_it_survives_a_database_that_fails_for_a_while(
        self, hub: Hub, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, failed = asyncio.Event(), asyncio.Semaphore(0)
        loop = asyncio.get_running_loop()

        def fail(execute: Callable[..., Any], *args: Any) -> Any:
            if broken.is_set():
                loop.call_soon_threadsafe(failed.release)
                raise DatabaseError("the server closed the connection")
            return execute(*args)

        async with hub.listen() as queue:
            await hub.call(lambda: connection.execute_wrappers.append(fail))
            broken.set()
            event = await add_event("run")
            async with asyncio.timeout(DEADLINE):
                for _ in range(3):
                    await failed.acquire()
                broken.clear()
                while (message := await queue.get()).kind == "beat":
                    pass
                await queue.get()
        assert (message.kind, message.id) == ("reset", event.pk)
        said = [record.getMessage() for record in caplog.records if record.name == "attpcdaq.web.hub"]
        assert said == [
            "the event stream cannot read the database: the server closed the connection",
            "the event stream reads the database again",
        ]

    async def test_streams_end_when_the_process_is_to_stop(self, hub: Hub) -> None:
        async with reading(hub) as stream:
            await stream.until("beat")
            hub.close()
            with pytest.raises(StopAsyncIteration):
                await stream.until("never")
        async with hub.listen() as queue:
            assert await queue.get() is END


class TestView:
    async def test_a_stranger_gets_none(self) -> None:
        assert (await AsyncClient().get("/events/stream")).status_code == 401

    async def test_headers_keep_proxies_from_holding_it_back(self) -> None:
        client = AsyncClient()
        await client.aforce_login(await sync_to_async(observer)(), "django.contrib.auth.backends.ModelBackend")
        event = await add_event("run")
        answer = await client.get("/events/stream", headers={"Last-Event-ID": str(event.pk + 1)})
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "no-cache" in answer.headers["Cache-Control"]
        stream = Reader(aiter(answer.streaming_content))
        assert (await stream.until("reset"))["id"] == str(event.pk)
        await answer.streaming_content.aclose()

    def test_a_process_for_pages_only_does_not_try(self) -> None:
        client = Client()
        client.force_login(User.objects.create(username="lee"))
        assert client.get("/events/stream").status_code == 501
        assert client.post("/events/stream").status_code == 405
