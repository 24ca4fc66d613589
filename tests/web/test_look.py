"""Every situation in a real browser: nothing sticks out of a desk's screen or a telephone's, with pictures."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from attpcdaq import web
from tests.web import situations
from tests.web.drawn import drawn
from tests.web.people import expert

pytestmark = pytest.mark.django_db
STATIC = Path(web.__file__).parent / "static"
SITE = "http://situations.invalid"
SCREENS = {"phone": (390, 844), "desktop": (1440, 1000)}
STICKS_OUT = "document.documentElement.scrollWidth - window.innerWidth"


def answer(route: Route) -> None:
    """Style sheets as they are; of scripts and streams nothing."""
    path = STATIC / route.request.url.removeprefix(f"{SITE}/static/")
    if path.suffix == ".css":
        route.fulfill(body=path.read_text(), content_type="text/css")
    else:
        route.abort()


@pytest.mark.parametrize("name", situations.situations())
def test_it_fits_its_screen(page: Page, name: str, pytestconfig: pytest.Config) -> None:
    shots = Path(pytestconfig.getoption("--output")) / "situations"
    html = drawn(situations.situations()[name], expert())
    page.route("**/*", answer)
    page.route(f"{SITE}/", lambda route: route.fulfill(body=html, content_type="text/html"))
    shots.mkdir(parents=True, exist_ok=True)
    for screen, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{SITE}/")
        page.screenshot(path=shots / f"{name}-{screen}.png", full_page=True)
        assert page.evaluate(STICKS_OUT) <= 0, f"{name} is wider than a {screen}'s screen"
        stop = page.locator("#action-stop").bounding_box()
        assert stop is not None
        assert stop["y"] + stop["height"] < height, f"Stop is below the {screen}'s first screen"
