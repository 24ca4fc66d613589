"""From a change in an ECC server to the page that shows it, in a real browser."""

import asyncio
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from attpcdaq.demo.detector import announced
from attpcdaq.demo.place import Place
from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.ports import EccAddress
from bench.figures import Figure, percentile
from get_protocol.config_set import ConfigId
from get_protocol.state_machine import Transition
from tests.e2e.system import System

CHANGES = 60
SERVER = "ecc-cobo0"
# Notes when the badge of the server says something else.
WATCH = """server => {
  window.seen = [];
  const state = () => document.querySelector(`[data-ecc="${server}"] .badge[data-state]`)?.dataset.state;
  let last = state();
  new MutationObserver(() => {
    const now = state();
    if (now && now !== last) { last = now; window.seen.push([now, Date.now() / 1000]); }
  }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def change_to_page(system: System, place: Place) -> tuple[Figure, Figure] | None:
    """Median and 95 % in seconds over CHANGES changes; None without Playwright and a Chromium."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    from tests.services.chromium import launch_options

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**launch_options())
        except Error:
            return None
        page = browser.new_page()
        page.goto(system.url)
        page.get_by_label("Username").fill("shifter")
        page.get_by_label("Password").fill(place.password.read_text().strip())
        page.get_by_role("button", name="Log in").click()
        page.locator(f'[data-ecc="{SERVER}"]').wait_for()
        page.evaluate(WATCH, SERVER)
        delays = []
        for state, changed_at in _changes(place):
            page.wait_for_function("state => window.seen.some(one => one[0] === state)", arg=state, timeout=20_000)
            ((_, seen_at),) = page.evaluate("window.seen.splice(0)")
            delays.append(seen_at - changed_at)
        browser.close()
    return Figure(tuple(delays), "Chromium, changes at random times"), Figure((percentile(delays, 0.95),))


def _changes(place: Place) -> Iterator[tuple[str, float]]:
    """Let the server change state behind the product's back, again and again: new state, and when it was there."""
    told = next(one for one in announced(place)["ecc_servers"] if one["name"] == SERVER)
    server = EccAddress(SERVER, told["address"], told["port"])
    config = ConfigId("cobo0", "experiment", "experiment")
    # Playwright has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as apart:
        for number in range(CHANGES):
            time.sleep(random.SystemRandom().uniform(0.1, 1.2))
            transition, state = (Transition.UNDO, "idle") if number % 2 else (Transition.DESCRIBE, "described")
            apart.submit(lambda to=transition: asyncio.run(EccSoap().transition(server, to, config, (), 10.0))).result()
            yield state, time.time()
