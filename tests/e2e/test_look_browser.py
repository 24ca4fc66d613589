"""The look of the site as a tired shifter meets it: nothing jumps, Stop is there, the wall is read from four metres."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, UNTIL_DONE, Shifter
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

# Every shift of the layout that nobody's hand has caused, with what moved.
WATCH_SHIFTS = """
window.shifts = [];
const name = (node) => node?.id ? "#" + node.id : node?.className || node?.nodeName;
const panel = (node) => (node?.closest ? node : node?.parentElement)?.closest("[data-panel]")?.id;
const at = (rect) => [rect.x, rect.y, rect.height].map(Math.round).join(" ");
const told = ({ node, previousRect, currentRect }) =>
  `${name(node)} in ${panel(node)}: ${at(previousRect)} -> ${at(currentRect)}`;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.shifts.push({ value: entry.value, moved: entry.sources.map(told) });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
MOST_SHIFT = 0.01
SHARE_OF_HEIGHT = 0.05
SIZES = {"desktop": DESKTOP, "phone": PHONE}
# The share of the screen's height that letters take (their em), by what they say.
HEIGHTS = """selectors => Object.fromEntries(selectors.map((one) =>
  [one, parseFloat(getComputedStyle(document.querySelector(one)).fontSize) / window.innerHeight]))"""


@pytest.fixture
def shifter(page: Page, demo: Demo, system: System) -> Shifter:
    system.ready()
    page.set_viewport_size(DESKTOP)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_during_a_whole_run(page: Page, demo: Demo, system: System, size: str) -> None:
    system.ready()
    system.do("go_idle")
    page.set_viewport_size(SIZES[size])
    page.add_init_script(WATCH_SHIFTS)
    shifter = Shifter(page, demo)
    shifter.log_in()
    shifter.press("go_ready")
    shifter.sees_all("ready")
    page.get_by_label("Title of the next run").fill("nothing jumps")
    shifter.press("start")
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    number = page.locator("#run-number").inner_text()
    expect(page.locator("#data-flow")).to_contain_text("11 of 11 data routers write", timeout=UNTIL_DONE)
    before = page.locator("#data-flow").inner_text()
    expect(page.locator("#data-flow")).not_to_have_text(before)
    shifter.press("stop")
    expect(page.locator("#last-run")).to_have_text(f"run {number}", timeout=UNTIL_DONE)
    expect(page.locator("#last-run-verdict")).to_be_visible(timeout=UNTIL_DONE)
    shifts: list[dict[str, Any]] = page.evaluate("window.shifts")
    told = "\n".join(f"{shift['value']:.4f} {shift['moved']}" for shift in shifts)
    assert sum(shift["value"] for shift in shifts) < MOST_SHIFT, told
    assert shifter.complaints == []


def test_a_long_command_shows_how_far_it_is(shifter: Shifter, system: System) -> None:
    page = shifter.page
    system.do("go_idle")
    system.speed(2.0)
    shifter.press("go_ready")
    bar = page.locator("#overall progress")
    expect(bar).to_be_visible()
    expect(page.locator("#overall .waiting")).to_contain_text(re.compile(r"of \d+ calls are done"))
    expect(page.locator("#overall .waiting")).to_contain_text("at the latest")
    seen = {bar.get_attribute("value")}
    wait_for(lambda: len(seen.union({bar.get_attribute("value")} if bar.count() else seen)) > 1, "progress")
    system.speed(20.0)
    shifter.sees_all("ready")
    expect(bar).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_only_stop_of_a_production_run_asks(shifter: Shifter, system: System, size: str) -> None:
    page = shifter.page
    page.set_viewport_size(SIZES[size])
    asked: list[str] = []
    answers = iter([False, True])

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.accept() if next(answers) else dialog.dismiss()

    page.on("dialog", answer)
    # The class of a new run is that of the last: in the end it is one whose Stop asks nobody.
    for run_class in ("production", "testing"):
        page.locator("#run-form-class").select_option(run_class)
        shifter.press("start")
        shifter.sees_title(re.compile(r"Run \d+ is running"))
        shifter.press("stop")
        if run_class == "production":
            assert len(asked) == 1
            assert re.fullmatch(r"Run \d+ is a production run and takes data. Stop it\?", asked[0])
            assert system.status()["run"]["state"] == "running"
            shifter.press("stop")
        expect(page.locator("#last-run")).to_be_visible(timeout=UNTIL_DONE)
    assert len(asked) == 2  # and none for the run that was a test


def test_on_a_telephone_the_first_screen_is_state_run_and_stop(shifter: Shifter, system: System) -> None:
    page = shifter.page
    page.set_viewport_size(PHONE)
    shifter.press("start")
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    for what in ("#overall-state", "#run-number", "#run-state", "#duration", "#action-stop"):
        box = page.locator(what).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"], f"{what} is below the first screen"
    stop = page.locator("#action-stop").bounding_box()
    assert stop is not None
    assert min(stop["width"], stop["height"]) >= 60
    assert shifter.sticks_out() <= 0
    shifter.press("stop")
    system.closed()


def test_light_or_dark_is_chosen_and_stays(shifter: Shifter) -> None:
    page = shifter.page
    background = "getComputedStyle(document.body.parentElement).backgroundColor"
    seen = {}
    for theme in ("Light", "Dark"):
        page.get_by_role("button", name="Account of").click()
        page.get_by_role("button", name=theme, exact=True).click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme.lower())
        seen[theme] = page.evaluate(background)
        shifter.go("/runs/")
        assert page.evaluate(background) == seen[theme]
        shifter.go("/")
    assert seen["Light"] != seen["Dark"]
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_way_by_keyboard_alone(shifter: Shifter, system: System) -> None:
    """Log in, start a run, stop it, change the theme: no mouse is touched."""
    page = shifter.page
    focused = "document.activeElement.id || document.activeElement.textContent.trim()"

    def tab_to(name: str, most: int = 60) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(focused) == name:
                return
        raise AssertionError(f"{most} times Tab did not lead to {name}")

    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to("run-form-title")
    page.keyboard.type("by keyboard")
    tab_to("action-start", 3)
    page.keyboard.press("Enter")
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    tab_to("action-stop")
    page.keyboard.press("Space")
    assert system.closed()["title"] == "by keyboard"
    page.reload()
    tab_to("account-button")
    page.keyboard.press("Enter")
    expect(page.locator("#account")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#account")).to_be_hidden()
    assert page.evaluate(focused) == "account-button"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (1280, 1024)])
def test_the_wall_is_read_from_four_metres(shifter: Shifter, system: System, width: int, height: int) -> None:
    page = shifter.page
    system.do("start", title="16O on alpha, 400 Torr", run_class="testing")
    page.set_viewport_size({"width": width, "height": height})
    shifter.go("/wall/")
    expect(page.locator("#overall-state")).to_contain_text(re.compile(r"Run \d+ is running"))
    expect(page.locator('[data-figure="rate"]')).not_to_have_text("0 B/s")
    heights = page.evaluate(HEIGHTS, [".wall-state", ".wall-number", ".wall-figures dd"])
    assert {what: share for what, share in heights.items() if share < SHARE_OF_HEIGHT} == {}
    assert page.evaluate("document.documentElement.scrollHeight - window.innerHeight") <= 0
    assert shifter.sticks_out() <= 0
    assert page.locator(".wall").evaluate("wall => wall.scrollHeight - wall.clientHeight") <= 0
    system.fault("router-cobo5", "silent")
    expect(page.locator(".wall")).to_have_attribute("data-level", "bad", timeout=20_000)
    expect(page.locator(".wall-wrong li").first).to_contain_text("cobo5")
    assert page.locator(".wall").evaluate("wall => wall.scrollHeight - wall.clientHeight") <= 0
    system.clear_faults()
    system.do("stop")
    expect(page.locator(".wall-number")).to_contain_text("No run for", timeout=UNTIL_DONE)
    assert shifter.complaints == []


def test_the_wall_says_when_it_is_out_of_touch(shifter: Shifter) -> None:
    page = shifter.page
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.route("**/events/stream*", lambda route: route.abort())
    page.goto(f"{shifter.url}/wall/")
    expect(page.locator("#out-of-touch")).to_be_visible(timeout=15_000)
    assert page.evaluate(HEIGHTS, ["#out-of-touch"])["#out-of-touch"] >= SHARE_OF_HEIGHT
    page.unroute("**/events/stream*")
    expect(page.locator("#out-of-touch")).to_be_hidden(timeout=15_000)
