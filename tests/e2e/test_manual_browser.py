"""The manual as the crew reads it: found, searched, light or dark, at a desk and on a telephone; and its pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Page, ViewportSize, expect

from tests.docs.building import Manual, build_served
from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter
from tests.e2e.pictures.camera import SCHEMES, Camera
from tests.e2e.pictures.story import PICTURES, tell

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = {"desktop": DESKTOP, "phone": PHONE}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual(build_served())


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> ViewportSize:
    return SIZES[request.param]


class Pages:
    """The pages alone, without a detector: the manual needs no more."""

    def __init__(self, url: str) -> None:
        self.port = urlsplit(url).port or 0

    def password_of(self, user: str) -> str:
        raise KeyError(user)


@pytest.fixture
def reader(page: Page, live_server: Any, size: ViewportSize, manual: Manual) -> Iterator[Shifter]:
    """A stranger: nobody has to log in for the manual. Whatever the browser complains of counts."""
    page.set_viewport_size(size)
    reader = Shifter(page, Pages(live_server.url))
    lost: list[str] = []
    page.on("response", lambda answer: lost.append(answer.url) if answer.status >= 400 else None)
    yield reader
    assert (reader.complaints, lost) == ([], [])


def test_from_the_log_in_page_to_what_to_do(reader: Shifter, size: ViewportSize) -> None:
    page = reader.page
    reader.go("/login/")
    page.locator("#page-manual").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_in_viewport()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Manual").click()
    page.get_by_role("main").get_by_role("link", name="Every state, and what to do").click()
    page.locator(".manual-contents > summary").click()
    page.locator(".manual-contents").get_by_role("link", name="Mixed states").click()
    expect(page.get_by_role("heading", name="Mixed states")).to_be_in_viewport()
    assert reader.sticks_out() <= 0


def test_the_search_finds_a_trouble_by_its_words(reader: Shifter) -> None:
    page = reader.page
    reader.go("/help/")
    page.get_by_label("Search the manual").fill("wedged")
    page.get_by_role("search").get_by_role("button", name="Search").first.click()
    expect(page.locator("#search-results ul.search li").first).to_be_visible()
    found = page.locator("#search-headings").get_by_role("link", name="The ECC server is wedged")
    expect(page.locator("#search-results p.context").first).to_be_visible()
    assert reader.sticks_out() <= 0
    found.first.click()
    expect(page.get_by_role("heading", name="The ECC server is wedged")).to_be_in_viewport()


def test_a_search_for_nothing_that_is_there_says_so(reader: Shifter) -> None:
    reader.go("/help/search/?q=zzyzx")
    expect(reader.page.locator("#search-results")).to_contain_text("did not match")


def test_numbers_in_headings_do_not_break_the_search(reader: Shifter) -> None:
    reader.go("/help/search/?q=http")
    expect(reader.page.locator("#search-results ul.search li").first).to_be_visible()
    expect(reader.page.locator("#search-results p.context").first).to_be_visible()


@pytest.mark.parametrize("size", [PHONE], ids=["phone"])
def test_no_page_is_wider_than_a_telephone(reader: Shifter, manual: Manual) -> None:
    for address in manual.pages:
        reader.go(f"/help/{address}")
        assert reader.sticks_out() <= 0, address


@pytest.mark.parametrize("size", [DESKTOP], ids=["desktop"])
def test_light_or_dark_is_what_was_chosen_on_the_other_pages(reader: Shifter) -> None:
    page = reader.page
    page.emulate_media(color_scheme="dark")
    reader.go("/help/troubles/")
    assert (page.locator("html").get_attribute("data-theme"), background(page) < 60) == ("auto", True)
    page.context.add_cookies([{"name": settings.THEME_COOKIE_NAME, "value": "light", "url": reader.url}])
    reader.go("/help/troubles/")
    assert (page.locator("html").get_attribute("data-theme"), background(page) > 200) == ("light", True)
    # Two systems on one computer, which cookies do not tell apart: the demo's have their port in the name.
    page.context.add_cookies([{"name": f"x_{reader.demo.port}_theme", "value": "dark", "url": reader.url}])
    reader.go("/help/troubles/")
    assert (page.locator("html").get_attribute("data-theme"), background(page) < 60) == ("dark", True)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("address", ["", "first-day/", "shift/", "pages/", "states/", "troubles/", "search/?q=wedged"])
def test_nothing_is_in_the_way_of_anybody(reader: Shifter, address: str, scheme: Literal["light", "dark"]) -> None:
    reader.page.emulate_media(color_scheme=scheme)
    reader.go(f"/help/{address}")
    if address.startswith("search/"):
        expect(reader.page.locator("#search-results p.context").first).to_be_visible()
    found = Axe().run(reader.page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert found.violations_count == 0, found.generate_report()


def background(page: Page) -> int:
    """How bright, 0 to 255."""
    found: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return int(found.partition("(")[2].partition(",")[0])


def test_the_pictures_of_all_pages_that_name_one(browser: Any, demo: Demo, tmp_path: Path) -> None:
    camera = Camera(browser, demo, tmp_path)
    tell(camera, demo.system())
    assert tuple(camera.taken) == PICTURES
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {f"{name}-{scheme}.png" for name in PICTURES for scheme in SCHEMES}
    assert min(sizes.values()) > 8_000
    assert camera.desk.complaints == []
