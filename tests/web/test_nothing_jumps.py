"""A whole run as the page is told of it, in a real browser: nothing on the page moves that nobody has moved."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route

from attpcdaq import web
from attpcdaq.runcontrol.seeing.views import ActionView, CommandView, EventView, Overall, Snapshot, StepView
from tests.web import drawn
from tests.web.drawn import COBOS, GO, HALT, MUTANT, NO, NOW, planned
from tests.web.people import expert

pytestmark = pytest.mark.django_db
STATIC = Path(web.__file__).parent / "static"
SITE = "http://jumps.invalid"
SCREENS = {"desktop": (1440, 1000), "wide": (1920, 1080), "phone": (390, 844)}
MOST_SHIFT = 0.01
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Every shift of the layout, with what moved: nobody presses anything here.
WATCH = """
window.shifts = [];
const name = (node) => node?.id ? "#" + node.id : node?.className || node?.nodeName;
const panel = (node) => (node?.closest ? node : node?.parentElement)?.closest("[data-panel]")?.id;
const at = (rect) => [rect.x, rect.y, rect.width, rect.height].map(Math.round).join(" ");
const told = ({ node, previousRect, currentRect }) =>
  `${name(node)} in ${panel(node)}: ${at(previousRect)} -> ${at(currentRect)}`;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push({ value: entry.value, moved: entry.sources.map(told) });
}).observe({ type: "layout-shift", buffered: true });
"""
REFRESH = """async () => {
  const shown = new Promise((done) => document.addEventListener("daq:shown", done, { once: true }));
  (await import("/static/attpcdaq/js/panels.js")).refresh();
  await shown;
  // Two frames later the browser has laid out and noted what moved.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def at_work(action: str, *stages: tuple[str, tuple[str, ...], str]) -> CommandView:
    """A command with stages of (transition, servers, state)."""
    steps = tuple(
        StepView(number, name, transition, state, "", NOW, NOW + timedelta(seconds=60) if state == "sent" else None)
        for number, (transition, servers, state) in enumerate(stages)
        for name in servers
    )
    return drawn.command(action, "running", message="", finished_at=None, retry=ActionView(allowed=False), steps=steps)


def busy(state: str, command: CommandView, going_to: str = "", **more: Any) -> Snapshot:
    """A command under way: nothing but Stop may be pressed, and who is called says where it goes."""
    waiting = tuple(step.server for step in command.steps if step.state == "sent")
    reasons = (f"Waiting for {', '.join(waiting)}.",)
    refused = drawn.actions(stop=planned(*HALT)) | dict.fromkeys(("start", "go_ready", "go_idle", *STEPS), NO)
    shown = drawn.status(
        state, overall=Overall("busy", f"{command.label} under way", reasons), command=command, actions=refused, **more
    )
    servers = tuple(
        replace(server, going_to=going_to, progress=f"{going_to}: sent") if server.name in waiting else server
        for server in shown.ecc_servers
    )
    return replace(shown, ecc_servers=servers)


STEPS = ("describe", "prepare", "configure", "breakup", "undo")


def whole_run() -> Iterator[Snapshot]:
    """From Idle through Ready to a run that is over."""
    everybody = COBOS + MUTANT
    started = drawn.run(state="starting", started_at=None)
    taking = {"routers": tuple(drawn.taking_data(number) for number in range(11))}
    idle = drawn.actions(go_idle=ActionView(allowed=False, reasons=("Nothing to do: every server is Idle.",)))
    yield drawn.status("idle", actions=idle)
    yield busy(
        "idle", at_work("go_ready", ("Describe", everybody, "sent"), ("Prepare", MUTANT, "waiting")), "Described"
    )
    done = ("Describe", everybody, "confirmed"), ("Prepare", MUTANT, "confirmed"), ("Prepare", COBOS, "confirmed")
    yield busy("described", at_work("go_ready", *done[:1], ("Prepare", COBOS, "sent")), "Prepared")
    yield busy("prepared", at_work("go_ready", *done, ("Configure", COBOS, "sent")), "Ready")
    yield drawn.status("ready", actions=drawn.actions(start=planned(*GO)), command=at_work("go_ready", *done))
    yield busy("ready", at_work("start", ("Start", COBOS, "sent")), "Running", run=started)
    open_ = drawn.actions(start=ActionView(allowed=False, reasons=("Run 7 is open.",)), stop=planned(*HALT))
    running = drawn.status("running", overall=Overall("ok", "Run 7 is running"), run=drawn.run(), actions=open_)
    yield running
    yield replace(running, routers=taking["routers"])
    yield busy("running", at_work("stop", ("Stop", MUTANT, "sent")), "Ready", run=drawn.run(state="stopping"), **taking)
    closing = drawn.run(state="closing", stopped_at=NOW)
    moving = Overall("busy", "Run 7 is closing")
    yield drawn.status("ready", overall=moving, run=closing, actions=open_, **taking)
    last = drawn.run(state="closed", state_label="Closed", stopped_at=NOW, data_verdict="complete")
    yield drawn.status("ready", last_run=last, actions=drawn.actions(start=planned(*GO)))


def with_events(shown: Snapshot, number: int) -> Snapshot:
    """Each moment has told of itself."""
    events = tuple(
        EventView(one, NOW, "ecc", "info", f"ecc-cobo{one % 10}", f"Something of {'some ' * (one % 9)}length happened")
        for one in range(3 * number + 3, 0, -1)
    )
    return replace(shown, events=events[:30])


class Site:
    """Serves the page of the moment; style sheets and scripts as they are."""

    def __init__(self, viewer: User) -> None:
        self._viewer = viewer
        self._html = ""

    def show(self, moment: Snapshot) -> None:
        # For the scripts it is the time of the moment too: nothing is too old.
        html = drawn.drawn(moment, self._viewer)
        self._html = re.sub(r'data-now="[^"]*"', f'data-now="{NOW.timestamp()}"', html)

    def answer(self, route: Route) -> None:
        url = route.request.url.removeprefix(SITE)
        path = STATIC / url.removeprefix("/static/")
        if url == "/" or url.startswith("/partials/status"):
            route.fulfill(body=self._html, content_type="text/html")
        elif url.startswith("/static/") and path.is_file():
            route.fulfill(body=path.read_text(), content_type=TYPES[path.suffix])
        else:
            route.abort()


@pytest.fixture
def viewer() -> User:
    return expert()


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_moves_during_a_whole_run(page: Page, viewer: User, screen: str) -> None:
    site = Site(viewer)
    width, height = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": height})
    page.add_init_script(WATCH)
    page.route("**/*", site.answer)
    for number, moment in enumerate(whole_run()):
        site.show(with_events(moment, number))
        page.evaluate(REFRESH) if number else page.goto(f"{SITE}/")
        assert page.locator("#overall-state").inner_text() == moment.overall.title
    shifts = page.evaluate("window.shifts")
    told = "\n".join(f"{shift['value']:.4f} {shift['moved']}" for shift in shifts)
    assert sum(shift["value"] for shift in shifts) < MOST_SHIFT, told


def test_the_watch_sees_what_moves(page: Page, viewer: User) -> None:
    """Were it blind, nothing would ever move."""
    page.add_init_script(WATCH)
    site = Site(viewer)
    site.show(drawn.status("ready"))
    page.route("**/*", site.answer)
    page.goto(f"{SITE}/")
    page.evaluate(
        """async () => {
          document.querySelector(".status").style.marginTop = "300px";
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
    page.wait_for_function(f"window.shifts.reduce((sum, one) => sum + one.value, 0) > {MOST_SHIFT}")
