"""What a browser sees of the status page when it opens it for the first time: when, and for how many bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attpcdaq.demo.place import Place
from bench.figures import Figure
from tests.e2e.system import System

OPENINGS = 9
CALM_MS = 2000
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def first_look(system: System, place: Place) -> dict[str, Figure]:
    """`first_paint` in ms and `status_bytes` in kB, with nothing in the browser's cache; empty without a Chromium."""
    paints, sizes = [], []
    with _browser() as browser:
        if browser is None:
            return {}
        known = _logged_in(browser, system, place)
        for _ in range(OPENINGS):
            context = browser.new_context(storage_state=known)
            paint, size = _opened(context, system.url)
            paints.append(paint)
            sizes.append(size)
            context.close()
    note = "Chromium, empty cache, logged in; no nginx between"
    return {"first_paint": Figure(tuple(paints), note), "status_bytes": Figure(tuple(sizes), note)}


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        yield None
        return
    from tests.services.chromium import launch_options

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**launch_options())
        except Error:
            yield None
            return
        yield browser
        browser.close()


def _logged_in(browser: Any, system: System, place: Place) -> Any:
    """The cookies of somebody who is logged in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(system.url)
    page.get_by_label("Username").fill("shifter")
    page.get_by_label("Password").fill(place.password.read_text().strip())
    page.get_by_role("button", name="Log in").click()
    page.locator("#overall-state").wait_for()
    state = context.storage_state()
    context.close()
    return state


def _opened(context: Any, url: str) -> tuple[float, float]:
    """Milliseconds from asking for the page until something stands there; kB until it is live."""
    page = context.new_page()
    # Not the browser's own start: a new window keeps it busy for a while.
    page.wait_for_timeout(CALM_MS)
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    received: list[float] = []
    devtools.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
    page.goto(url)
    page.locator("body[data-heard]").wait_for()
    page.wait_for_function(f"() => {PAINT} > 0")
    return page.evaluate(PAINT), sum(received) / 1000
