"""Thirty open browsers, as the server sees them: each holds a stream and fetches what changed, as scripts do."""

import asyncio
import http.cookies
import json
import math
import re
import time
from dataclasses import dataclass, field

import aiohttp

from bench.figures import Figure
from bench.processes import cpu_seconds
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

BROWSERS = 30
LOOKED_FOR = 20.0
TRIALS = 3
SPACING = 0.1
SETTLED = 3.0


@dataclass
class Panel:
    """A live part of the page, as its attributes say."""

    name: str
    topics: set[str]
    source: str
    every: float


@dataclass
class Browser:
    """One that is open on the status page."""

    session: aiohttp.ClientSession
    url: str
    panels: list[Panel] = field(default_factory=list)
    fetched: int = 0

    async def open(self) -> None:
        page = await self._get("/")
        self.panels = panels_of(page)
        known = re.search(r'data-event-id="(\d+)".*?data-now="([\d.]+)"', page)
        assert self.panels
        assert known
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stream(f"last={known[1]}&drawn={known[2]}"))
            tasks.create_task(self._fetch_in_turn())

    async def _stream(self, known: str) -> None:
        """Whatever the stream says changed is fetched, at most every SPACING s."""
        kind, latest = "", 0.0
        async with self.session.get(f"{self.url}/events/stream?{known}") as answer:
            async for line in answer.content:
                text = line.decode().strip()
                kind = text.removeprefix("event: ") if text.startswith("event: ") else kind
                if text.startswith("data: ") and kind == "change":
                    await asyncio.sleep(max(0.0, latest + SPACING - time.monotonic()))
                    latest = time.monotonic()
                    topics = set(json.loads(text.removeprefix("data: "))["topics"])
                    await self._fetch([panel for panel in self.panels if panel.topics & topics])

    async def _fetch_in_turn(self) -> None:
        """What changes because time passes, at the turns of the server's clock (here it is the same)."""
        while True:
            every = min(panel.every for panel in self.panels if panel.every)
            now = time.time()
            await asyncio.sleep(every * math.ceil(now / every + 0.01) - now)
            sources = {panel.source for panel in self.panels if panel.every}
            await self._fetch([panel for panel in self.panels if panel.source in sources])

    async def _fetch(self, panels: list[Panel]) -> None:
        for source in {panel.source for panel in panels}:
            names = ",".join(panel.name for panel in panels if panel.source == source)
            fresh = panels_of(await self._get(f"{source}?panels={names}"))
            self.panels = [next((new for new in fresh if new.name == old.name), old) for old in self.panels]
            self.fetched += 1

    async def _get(self, path: str) -> str:
        async with self.session.get(f"{self.url}{path}") as answer:
            assert answer.status == 200, (path, answer.status)
            return await answer.text()


def panels_of(html: str) -> list[Panel]:
    """What the scripts find in a page: [data-panel][data-source]."""
    found = []
    for tag in re.findall(r"<section [^>]*data-panel=[^>]*>", html):
        told = dict(re.findall(r'data-([a-z]+)="([^"]*)"', tag))
        if "source" in told:
            every = float(told.get("every", 0))
            found.append(Panel(told["panel"], set(told.get("topics", "").split()), told["source"], every))
    return found


def thirty(system: System, product: list[int], cookies: http.cookies.SimpleCookie) -> Figure:
    """What they cost more than nobody, in % of a core, while a run takes data."""
    system.ready()
    system.speed(1.0, event_rate=20.0)
    system.do("start", title="thirty browsers", run_class="testing")
    wait_for(lambda: system.status()["overall"]["level"] == "ok", "data of every board")
    trials, fetched = [], 0
    for _ in range(TRIALS):
        nobody = _share(product)
        everybody, fetches = asyncio.run(_with_browsers(system.url, product, cookies))
        trials.append(100 * (everybody - nobody))
        fetched += fetches
    system.do("stop")
    system.closed()
    rate = fetched / (TRIALS * LOOKED_FOR * BROWSERS)
    return Figure(tuple(trials), f"{BROWSERS} streams, {rate:.2f} fetches/s each, without them {100 * nobody:.0f} %")


def _share(product: list[int]) -> float:
    began, before = time.monotonic(), cpu_seconds(product)
    time.sleep(LOOKED_FOR)  # the time that is measured
    return (cpu_seconds(product) - before) / (time.monotonic() - began)


async def _with_browsers(url: str, product: list[int], cookies: http.cookies.SimpleCookie) -> tuple[float, int]:
    jar = {name: morsel.value for name, morsel in cookies.items()}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(cookies=jar, connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
        browsers = [Browser(session, url) for _ in range(BROWSERS)]
        tasks = [asyncio.create_task(browser.open()) for browser in browsers]
        await asyncio.sleep(SETTLED)
        before_fetches = sum(browser.fetched for browser in browsers)
        share = await asyncio.to_thread(_share, product)
        fetches = sum(browser.fetched for browser in browsers) - before_fetches
        failed = [task for task in tasks if task.done()]
        assert not failed, failed[0].exception()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return share, fetches
