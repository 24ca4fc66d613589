"""Who walks: presses buttons, and notes and photographs what the page then says."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.chaos.real_parts import Real
from tests.e2e.pages import DESKTOP, PHONE, Shifter

ALL = 11
SOON = 60_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the page: its pictures' name, the overall state, its reasons, the advice, the cards and messages."""

    picture: str
    caption: str
    title: str
    reasons: list[str]
    advice: str
    cards: list[list[str]]
    message: str


@dataclass
class Told:
    """One scene as it is told afterwards: looks, and what was done between them."""

    title: str
    story: list[Seen | str] = field(default_factory=list)


class Inn:
    """Where the production-like system is found."""

    def __init__(self, real: Real) -> None:
        self.port = urlsplit(real.system.url).port or 0
        self._directory = real.directory

    def password_of(self, user: str) -> str:
        return (self._directory / ("password" if user == "shifter" else f"password-{user}")).read_text().strip()


class Walker:
    """An expert at the desk: sees what every shifter sees, and the Restart buttons too."""

    def __init__(self, page: Page, real: Real, album: Path) -> None:
        self.page, self.real, self.album = page, real, album
        self.system, self.desk = real.system, Shifter(page, Inn(real))
        self.told: list[Told] = []
        page.on("dialog", lambda dialog: dialog.accept())

    def begin(self, title: str) -> None:
        """A new scene: nothing is broken, every board is Ready, and this person is in charge."""
        self.told.append(Told(title))
        self.system.clear_faults()
        self.system.speed(20)
        if self.page.locator("#run-number").count():
            self.stop()
        if self.page.locator("#action-go_ready").is_enabled():
            self.desk.press("go_ready")
        self.desk.sees_all("ready")

    def say(self, text: str) -> None:
        self.told[-1].story.append(text)

    def stop(self) -> None:
        self.desk.press("stop")
        expect(self.page.locator("#last-run")).to_be_visible(timeout=SOON)

    def card(self, kind: str) -> Locator:
        """A card by the key of its trouble, or by its id."""
        return self.page.locator(f'[data-trouble="{kind}"], #{kind}')

    def sees(self, kind: str) -> None:
        expect(self.card(kind).first).to_be_visible(timeout=SOON)

    def look(self, name: str, caption: str) -> None:
        """Note what the page says, with its first screen at a desk and on a telephone."""
        page = self.page
        for kind, size in (("phone", PHONE), ("desk", DESKTOP)):
            page.set_viewport_size(size)
            page.screenshot(path=self.album / f"{name}-{kind}.png")
        cards = [
            [" ".join(line.split()) for line in card.locator("h3, p, li").all_inner_texts() if line.strip()]
            for card in page.locator("#attention .card").all()
        ]
        self.told[-1].story.append(
            Seen(
                name,
                caption,
                page.locator("#overall-state").inner_text(),
                page.locator("#overall-reasons li").all_inner_texts(),
                "".join(page.locator("#advice").all_inner_texts()),
                cards,
                " ".join("".join(page.locator("#action-message").all_inner_texts()).split()),
            )
        )
