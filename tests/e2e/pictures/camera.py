"""Who looks at the demo's pages and takes a picture of each, light and dark."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import Shifter

DESK = ViewportSize(width=1440, height=960)
TELEPHONE = ViewportSize(width=390, height=780)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Camera:
    """A browser. Numbers on a page may differ from one picture of it to the next: the page is alive."""

    def __init__(self, browser: Browser, demo: Demo, folder: Path) -> None:
        self.page: Page = browser.new_context(viewport=DESK).new_page()
        self.desk = Shifter(self.page, demo)
        self.folder = folder
        self.taken: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        expect.set_options(timeout=30_000)

    def take(self, name: str, size: ViewportSize = DESK) -> None:
        """The first screen of what is open now."""
        self.page.set_viewport_size(size)
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme)
            self.page.screenshot(path=self.folder / f"{name}-{scheme}.png")
        self.page.set_viewport_size(DESK)
        self.taken.append(name)

    def log_in(self, name: str) -> None:
        """Be somebody, or somebody else."""
        self.page.context.clear_cookies()
        self.desk.log_in(name)

    def go(self, path: str) -> None:
        self.desk.go(path)
        expect(self.page.locator("h1").first).to_be_visible()
