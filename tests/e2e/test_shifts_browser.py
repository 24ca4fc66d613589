"""A shift as the crew has it, in a real browser: begin, go through the checklist, note, name causes, hand over."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter
from tests.e2e.system import System

SUMS = "#shift-facts table.sums"


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def shifter(request: pytest.FixtureRequest, page: Page, demo: Demo, system: System) -> Shifter:
    """Logged in, every board Ready, in charge."""
    system.ready()
    size: ViewportSize = request.param
    page.set_viewport_size(size)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


def seconds(text: str) -> int:
    """h:mm:ss."""
    hours, minutes, rest = (int(part) for part in text.split(":"))
    return 3600 * hours + 60 * minutes + rest


def sums_of(page: Page) -> dict[str, int]:
    rows = page.locator(f"{SUMS} tbody tr:not(.detail), {SUMS} tfoot tr")
    found = rows.evaluate_all("rows => rows.map(row => [row.cells[0].innerText.trim(), row.cells[1].innerText.trim()])")
    return {label: seconds(time) for label, time in found}


def shoot(shifter: Shifter, name: str) -> None:
    """For a human to look at; the screen stays as large as it was."""
    size = shifter.page.viewport_size
    shifter.shoot(name)
    if size is not None:
        shifter.page.set_viewport_size(size)


def begin(shifter: Shifter, crew: str) -> None:
    """A shift of ours, from whoever had it."""
    shifter.go("/shifts/")
    shifter.page.get_by_label("Who is at the desk").fill(crew)
    shifter.page.get_by_role("button", name=re.compile("Begin the shift|Take over from")).click()
    expect(shifter.page.get_by_role("heading", name="Start-of-shift checklist")).to_be_visible()


def take_run(shifter: Shifter) -> None:
    shifter.go("/")
    shifter.press("start")
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    expect(shifter.page.locator("#duration")).to_have_text(re.compile(r"0:00:0[3-9]"))
    shifter.press("stop")
    expect(shifter.page.locator("#last-run")).to_be_visible(timeout=30_000)


def goes_through_the_checklist(shifter: Shifter) -> None:
    """What the DAQ sees, and what people tick."""
    page = shifter.page
    expect(page.locator('[data-item="servers"]')).to_contain_text("all 11 answer (Ready)")
    expect(page.locator('[data-item="staging"] .badge')).to_have_text("In order")
    page.get_by_label("Gas: pressure, flow and purity").check()
    page.get_by_role("button", name="Save the checklist").click()
    expect(page.get_by_text("The checklist was saved.")).to_be_visible()
    expect(page.get_by_label("Gas: pressure, flow and purity")).to_be_checked()
    shoot(shifter, "shift-checklist")


def notes_on_the_status_page(page: Page, text: str) -> None:
    page.get_by_label("Note for the log book").fill(text)
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text("Noted with shift of Kim, Lee")).to_be_visible()


def says_why_there_was_no_run(page: Page) -> None:
    gap = page.locator("table.gaps tbody tr").filter(has_text="Run").first
    gap.get_by_label("Cause of the time lost").select_option("No beam")
    gap.get_by_label("What happened").fill("cryo plant")
    gap.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The cause was saved.")).to_be_visible()
    expect(page.locator(SUMS)).to_contain_text("No beam")
    expect(page.locator(SUMS)).to_contain_text("cryo plant")
    expect(page.locator("table.gaps")).to_contain_text("said by shifter")


def saves_the_log_book(page: Page, saved: Path) -> str:
    """A file that stands alone."""
    with page.expect_download() as download:
        page.get_by_role("link", name="HTML", exact=True).click()
    download.value.save_as(saved)
    return saved.read_text()


def ends_the_shift(page: Page, words: str) -> None:
    page.get_by_label("What they have to know").fill(words)
    page.get_by_role("button", name="Save and end the shift").click()
    expect(page.get_by_text("The shift has ended.")).to_be_visible()
    expect(page.locator("#desk-shift")).to_have_count(0)


def test_a_whole_shift(shifter: Shifter, tmp_path: Path) -> None:
    page = shifter.page
    begin(shifter, "Kim, Lee")
    goes_through_the_checklist(shifter)
    take_run(shifter)
    notes_on_the_status_page(page, "cathode tripped once")
    take_run(shifter)

    # The hand-over page is made from what happened.
    page.locator("#desk-shift").click()
    expect(page.get_by_role("heading", name="Shift of Kim, Lee")).to_be_visible()
    expect(page.locator("#shift-runs tbody tr")).to_have_count(2)
    expect(page.locator("#notes")).to_contain_text("cathode tripped once")
    sums = sums_of(page)
    assert sums["Running"] > 0
    assert sum(time for label, time in sums.items() if label != "Together") == sums["Together"]
    says_why_there_was_no_run(page)
    shoot(shifter, "shift-hand-over")
    assert "cathode tripped once" in saves_the_log_book(page, tmp_path / "log.html")
    ends_the_shift(page, "watch the cathode")
    shifter.go("/shifts/")
    expect(page.locator("#past tbody tr").first).to_contain_text("watch the cathode")
    shoot(shifter, "shifts")
    assert shifter.complaints == []


def test_the_spokesperson_looks_at_the_beam_time(shifter: Shifter) -> None:
    page = shifter.page
    take_run(shifter)
    shifter.go("/shifts/beam-time/")
    expect(page.locator("#days tbody tr")).not_to_have_count(0)
    table = page.locator("table.sums").first
    expect(table).to_contain_text("Running")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    page.get_by_label("From", exact=True).fill(today)
    page.get_by_label("To", exact=True).fill(today)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#days tbody tr")).to_have_count(1)
    shoot(shifter, "beam-time")
    assert shifter.complaints == []


def test_two_tabs_and_one_shift(shifter: Shifter) -> None:
    """The crew that relieves them takes over; the tab that they left open says so in words."""
    page = shifter.page
    begin(shifter, "Kim, Lee")
    page.locator("#desk-shift").click()
    page.get_by_label("What they have to know").fill("we are not done")
    other = Shifter(page.context.new_page(), shifter.demo)
    begin(other, "Ann, Tim")
    page.get_by_role("button", name="Save and end the shift").click()
    expect(page.locator("#refusal")).to_contain_text("was ended at")
    expect(page.get_by_label("What they have to know")).to_have_value("we are not done")
    form = page.locator("form", has=page.locator("[name=hand_over]"))
    form.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert shifter.complaints == []
