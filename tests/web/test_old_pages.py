"""Pages in a real browser while the DAQ is upgraded, or a part of them is lost: they say so, and Stop works on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from attpcdaq.config.version import VERSION
from tests.web import situations
from tests.web.drawn import drawn
from tests.web.hashed import collect_static, hash_names
from tests.web.people import expert

pytestmark = pytest.mark.django_db
SITE = "http://pages.invalid"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SCREENS = {"phone": (390, 844), "desktop": (1440, 1000)}
STICKS_OUT = "document.documentElement.scrollWidth - window.innerWidth"
TAKEN = "<div class='message' data-level='ok'><p>Stop was taken</p></div>"
GONE = (
    "<!doctype html><title>x</title><main><div class='message' data-level='bad'>Reload it and try again.</div></main>"
)


class Door:
    """What nginx and the DAQ behind it answer; the static files are those that collectstatic wrote."""

    def __init__(self, static: Path, html: str) -> None:
        self.static, self.html = static, html
        self.version = VERSION
        self.lost: tuple[str, ...] = ()
        self.answer: dict[str, Any] = {"body": TAKEN, "content_type": "text/html"}
        self.pressed: list[Request] = []
        self.shown = 0

    def __call__(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE).partition("?")[0]
        if path.startswith("/static/"):
            self._static(route, self.static / path.removeprefix("/static/"))
        elif path == "/events/stream":
            beat = {"version": self.version, "now": 0, "monitor": None, "ecc": {}, "routers": {}}
            body = f"retry: 200\n\nevent: beat\ndata: {json.dumps(beat)}\n\n"
            route.fulfill(body=body, content_type="text/event-stream")
        elif path.startswith("/actions/"):
            self.pressed.append(route.request)
            route.fulfill(**self.answer)
        elif path == "/":
            self.shown += 1
            route.fulfill(body=self.html, content_type="text/html")
        else:
            route.fulfill(body="", content_type="text/html")

    def _static(self, route: Route, file: Path) -> None:
        if file.name.startswith(self.lost or ("\0",)):
            route.fulfill(status=404, body="")
        else:
            route.fulfill(body=file.read_text(), content_type=TYPES[file.suffix])


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collect_static(tmp_path_factory.mktemp("static"))


@pytest.fixture
def door(page: Page, collected: Path, settings: Any) -> Door:
    hash_names(settings, collected)
    door = Door(collected, drawn(situations.situations()["running"], expert()))
    page.route("**/*", door)
    return door


@pytest.fixture
def shoot(page: Page, pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Pictures on a desk's screen and a telephone's, of what is seen without scrolling."""
    folder = Path(pytestconfig.getoption("--output")) / "old-pages"
    folder.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        for screen, (width, height) in SCREENS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=folder / f"{name}-{screen}.png")
            assert page.evaluate(STICKS_OUT) <= 0, f"{name} is wider than a {screen}'s screen"
            stop = page.locator("#action-stop").bounding_box()
            assert stop is not None
            assert stop["y"] + stop["height"] < height, f"Stop is below the {screen}'s first screen"

    return take


def press_stop(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#action-stop").click()


def test_a_page_of_this_version_says_nothing(page: Page, door: Door) -> None:
    page.goto(f"{SITE}/")
    expect(page.locator("body[data-heard]")).to_be_attached()
    expect(page.locator("#other-version")).to_be_hidden()
    expect(page.locator("#not-live")).to_have_count(0)


def test_a_page_of_another_version_says_so_and_stop_works(page: Page, door: Door, shoot: Callable[[str], None]) -> None:
    page.goto(f"{SITE}/")
    expect(page.locator("body[data-heard]")).to_be_attached()
    door.version = "9.8.7"
    expect(page.locator("#other-version")).to_be_visible()
    expect(page.locator("#other-version")).to_contain_text(f"The DAQ is now version 9.8.7, this page is {VERSION}.")
    shoot("upgraded")
    press_stop(page)
    expect(page.locator("#action-message")).to_contain_text("Stop was taken")
    (pressed,) = door.pressed
    assert (pressed.method, pressed.headers["hx-request"]) == ("POST", "true")
    shown = door.shown
    page.get_by_role("link", name="Reload this page").click()
    page.wait_for_load_state()
    assert door.shown == shown + 1


def test_an_upgrade_that_was_taken_back_is_not_told_any_more(page: Page, door: Door) -> None:
    door.version = "9.8.7"
    page.goto(f"{SITE}/")
    expect(page.locator("#other-version")).to_be_visible()
    door.version = VERSION
    expect(page.locator("#other-version")).to_be_hidden()


def test_a_button_that_is_not_there_any_more_says_reload(page: Page, door: Door) -> None:
    door.answer = {"status": 404, "body": GONE, "content_type": "text/html"}
    page.goto(f"{SITE}/")
    expect(page.locator("body[data-heard]")).to_be_attached()
    press_stop(page)
    expect(page.locator("#action-message")).to_contain_text("Reload it and try again.")


@pytest.mark.parametrize("lost", ["live.", "clock.", "panels.", "morph.", "stream."])
def test_without_one_of_its_scripts_it_says_so_and_stop_works(page: Page, door: Door, lost: str) -> None:
    door.lost = (lost,)
    page.goto(f"{SITE}/")
    press_stop(page)
    expect(page.locator("#action-message")).to_contain_text("Stop was taken")
    assert door.pressed[0].method == "POST"
    expect(page.locator("#not-live")).to_be_visible()


def test_without_any_script_stop_is_a_plain_form(page: Page, door: Door, shoot: Callable[[str], None]) -> None:
    door.lost = ("live.", "htmx-")
    page.goto(f"{SITE}/")
    expect(page.locator("#not-live")).to_be_visible()
    shoot("not-live")
    press_stop(page)
    expect(page.get_by_text("Stop was taken")).to_be_visible()
    assert door.pressed[0].url == f"{SITE}/actions/stop"
    assert "csrfmiddlewaretoken=" in (door.pressed[0].post_data or "")


def test_without_htmx_it_still_renews_itself(page: Page, door: Door) -> None:
    door.lost = ("htmx-",)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{SITE}/")
    expect(page.locator("body[data-heard]")).to_be_attached()
    expect(page.locator("#not-live")).to_have_count(0)
    assert complaints == []


def test_without_its_style_sheets_the_buttons_are_there(page: Page, door: Door) -> None:
    door.lost = ("daq.", "status.")
    page.goto(f"{SITE}/")
    press_stop(page)
    expect(page.locator("#action-message")).to_contain_text("Stop was taken")
