"""Every page, in both themes, at a desk and on a telephone: no barrier, nothing inline, nothing too wide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.demos import Demo
from tests.e2e.every_page import addresses, furnish, is_page
from tests.e2e.pages import DESKTOP, PHONE, Shifter

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The second theme differs in its colours only.
OPTIONS: dict[str, dict[str, Any]] = {
    "light": {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]},
}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
# Only they cross over to us: the rest of what it answers is long.
VIOLATIONS = "options => axe.run(options).then(answer => answer.violations)"
# What the policy of contents forbids is noted by the page itself.
WATCH = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refusedByPolicy.push(`${event.violatedDirective}: ${event.blockedURI} in ${event.sourceFile}`));
"""
OUTLINE = """() => ({
  h1: document.querySelectorAll("h1").length,
  title: document.title,
  wider: document.documentElement.scrollWidth - window.innerWidth,
  policy: window.refusedByPolicy,
})"""


class Report:
    """What was looked at, written down for people."""

    def __init__(self) -> None:
        self.looks = 0
        self.pages: set[str] = set()
        self.found: list[str] = []

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        head = f"{len(self.pages)} pages, {self.looks} looks (light and dark, desk and telephone), axe rules {RULES}."
        said = "\n".join(self.found) or "No violation."
        pages = "\n".join(f"- {page}" for page in sorted(self.pages))
        path.write_text(f"# Accessibility\n\n{head}\n\n{said}\n\n{pages}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def report(pytestconfig: pytest.Config) -> Iterator[Report]:
    report = Report()
    yield report
    report.write(Path(pytestconfig.getoption("--output")) / "accessibility.md")


@pytest.fixture(scope="module")
def furnished(demo: Demo) -> Demo:
    system = demo.system()
    system.speed(20.0)
    furnish(system)
    return demo


@pytest.fixture(scope="module")
def admin(browser: Browser, furnished: Demo) -> Iterator[BrowserContext]:
    """Somebody who sees everything there is, logged in once for all pages."""
    context = browser.new_context(viewport=DESKTOP)
    context.add_init_script(WATCH)
    Shifter(context.new_page(), furnished).log_in("admin")
    yield context
    context.close()


def look(page: Page, report: Report, address: str) -> list[str]:
    """Everything that is wrong with the page as it stands."""
    found: list[str] = []
    report.pages.add(address)
    page.evaluate(AXE_SCRIPT)  # half a megabyte: once for the page, not once for each of its four looks
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for theme in OPTIONS:
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            report.looks += 1
            where = f"{address} ({size}, {theme})"
            found += [f"{where} {text}" for text in violations(page, theme)]
        seen = page.evaluate(OUTLINE)
        found += [f"{address} ({size}) is {seen['wider']} px wider than the screen"] if seen["wider"] > 0 else []
    found += [f"{address} has {seen['h1']} h1"] if seen["h1"] != 1 else []
    found += [f"{address} has no title of its own"] if "AT-TPC DAQ" not in seen["title"] else []
    found += [f"{address} breaks the policy: {text}" for text in seen["policy"]]
    report.found += found
    return found


def violations(page: Page, theme: str) -> list[str]:
    broken: list[dict[str, Any]] = page.evaluate(VIOLATIONS, OPTIONS[theme])
    return [
        f"{one['id']}: {' '.join(map(str, node['target']))} {node['html'][:160]} {_why(node)}"
        for one in broken
        for node in one["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])[:300]


@pytest.mark.parametrize("address", addresses())
def test_every_page(admin: BrowserContext, furnished: Demo, report: Report, address: str) -> None:
    url = f"http://127.0.0.1:{furnished.port}{address}"
    if not is_page(admin, url):
        return
    page = admin.new_page()
    try:
        page.goto(url)
        assert look(page, report, address) == []
    finally:
        page.close()


@pytest.mark.parametrize("address", ["/login/", "/help/", "/nothing/here"])
def test_what_strangers_see(browser: Browser, furnished: Demo, report: Report, address: str) -> None:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{furnished.port}{address}")
    found = look(page, report, address)
    context.close()
    assert found == []


def test_menus_and_a_run_that_takes_data(admin: BrowserContext, furnished: Demo, report: Report) -> None:
    system = furnished.system()
    system.do("start", title="for a look", run_class="testing")
    page = admin.new_page()
    page.goto(f"http://127.0.0.1:{furnished.port}/")
    try:
        found = look(page, report, "/ while a run takes data")
        page.get_by_role("button", name="Account of").click()
        found += look(page, report, "/ with the account menu open")
        page.keyboard.press("Escape")
        page.set_viewport_size(DESKTOP)
        page.locator('[data-ecc="ecc-cobo3"] [data-menu]').click()
        page.locator("#menu #menu-title").wait_for()
        found += look(page, report, "/ with the controls of a server open")
        page.goto(f"http://127.0.0.1:{furnished.port}/wall/")
        found += look(page, report, "/wall/ while a run takes data")
    finally:
        page.close()
        system.do("stop")
    assert found == []


def test_the_list_is_of_pages_that_are_there(admin: BrowserContext, furnished: Demo) -> None:
    """Most of the addresses are pages: were the samples wrong, nothing would be looked at."""
    url = f"http://127.0.0.1:{furnished.port}"
    pages = [one for one in addresses() if admin.request.get(url + one, fail_on_status_code=False).status == 200]
    assert {"/", "/wall/", "/runs/", "/runs/of/demo/2/", "/setup/", "/setup/easy", "/audit/", "/accounts/"} <= set(
        pages
    )
    assert len(pages) >= 20
