"""The pages as a shifter uses them."""

import os
import re
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Locator, Page, ViewportSize, expect

SHOTS = Path(os.environ.get("SCREENSHOTS") or Path(__file__).resolve().parents[2] / "test-results" / "screenshots")
DESKTOP = ViewportSize(width=1440, height=1000)
PHONE = ViewportSize(width=390, height=844)
UNTIL_DONE = 30_000


class Door(Protocol):
    """Where the pages are served, and the passwords of the people."""

    port: int

    def password_of(self, user: str) -> str: ...


class Shifter:
    """Somebody at the desk, logged in."""

    def __init__(self, page: Page, demo: Door) -> None:
        self.page, self.demo = page, demo
        self.url = f"http://127.0.0.1:{demo.port}"
        self.complaints: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        # A refused command (409) is reported by the browser itself; what our scripts say is not expected.
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    def log_in(self, name: str = "shifter") -> None:
        self.page.goto(self.url)
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(self.demo.password_of(name))
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.locator("#overall-state")).to_be_visible()
        self.until_in_touch()

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")
        if self.page.locator("[data-panel]").count():
            self.until_in_touch()

    def until_in_touch(self) -> None:
        """Before its scripts are there, a click on a link opens a page of its own; others open no stream."""
        expect(self.page.locator("body[data-heard]")).to_be_attached()

    def press(self, action: str) -> None:
        """A button of the status page, once it may be used."""
        button = self.page.locator(f"#action-{action}")
        expect(button).to_be_enabled(timeout=UNTIL_DONE)
        button.click()

    def step(self, action: str) -> None:
        """One of the single steps, which are folded away."""
        if not self.page.locator("#single-steps[open]").count():
            self.page.locator("#single-steps > summary").click()
        self.press(action)

    def controls_of(self, name: str) -> Locator:
        """The pop-up with the controls of one server or router, opened."""
        self.page.locator(f'[data-ecc="{name}"] [data-menu], [data-router="{name}"] [data-menu]').click()
        menu = self.page.locator("#menu")
        expect(menu.locator("#menu-title")).to_contain_text(name)
        return menu

    def take_control(self) -> None:
        """Be in charge, whoever is."""
        if self.page.get_by_role("button", name="Take control", exact=True).count():
            self.page.get_by_role("button", name="Take control", exact=True).click()
        else:
            self.page.get_by_text("Take it without waiting").click()
            self.page.locator("#control-reason").fill("the next test")
            self.page.get_by_role("button", name=re.compile("Take control from")).click()
        expect(self.page.locator("#control-holder")).to_have_text("you")

    def release_control(self) -> None:
        self.page.get_by_role("button", name="Release").click()
        expect(self.page.locator("#control-holder")).to_have_text("nobody")

    def sees_plan(self, action: str, stages: list[str]) -> None:
        """What the page shows before the click."""
        expect(self.page.locator(f'[data-plan="{action}"] li')).to_have_text(stages, use_inner_text=True)

    def state_of(self, server: str) -> Locator:
        return self.page.locator(f'[data-ecc="{server}"] .badge[data-state]')

    def sees_all(self, state: str, count: int = 11) -> None:
        expect(self.page.locator(f'[data-ecc] .badge[data-state="{state}"]')).to_have_count(count, timeout=UNTIL_DONE)

    def sees_title(self, title: str | re.Pattern[str]) -> None:
        expect(self.page.locator("#overall-state")).to_have_text(title, timeout=UNTIL_DONE)

    def shoot(self, name: str) -> None:
        """The whole page for a human to look at, on a desk's screen and on a telephone."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        for kind, size in (("phone", PHONE), ("desktop", DESKTOP)):
            self.page.set_viewport_size(size)
            self.page.screenshot(path=SHOTS / f"{name}-{kind}.png", full_page=True)
            assert self.sticks_out() <= 0, f"{name} is wider than a {kind}'s screen"

    def sticks_out(self) -> int:
        """By how many pixels the page is wider than the screen."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width
