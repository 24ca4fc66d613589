"""Somebody on shift reads logs as they grow, and takes note of what happened; on a desk's screen and on a telephone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter
from tests.e2e.system import System

# Each size has servers of its own, whose logs nobody else has written to.
SIZES = pytest.mark.parametrize(("size", "first"), [(DESKTOP, 0), (PHONE, 5)], ids=["desktop", "phone"])
SOON = 15_000


@pytest.fixture
def shifter(page: Page, demo: Demo, size: ViewportSize) -> Shifter:
    page.set_viewport_size(size)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


def say(system: System, name: str, data: bytes) -> None:
    """The program of this name on its node prints something."""
    with log_file(system, name).open("ab") as file:
        file.write(data)


def log_file(system: System, name: str) -> Path:
    return system.nodes[f"node-{name.partition('-')[2]}"] / "logs" / f"{name}.log"


def line(shifter: Shifter, words: str) -> Locator:
    return shifter.page.locator("#log-lines li").filter(has_text=words)


def has_fit(shifter: Shifter) -> None:
    assert shifter.sticks_out() <= 0
    assert shifter.complaints == []


def open_log(shifter: Shifter, name: str) -> None:
    """By way of the status page's controls."""
    shifter.go("/")
    shifter.controls_of(name).get_by_role("link", name="Its log").click()
    expect(shifter.page.get_by_role("heading", name=f"Log of {name}")).to_be_visible()
    expect(shifter.page.locator("#log-state")).to_contain_text("Read each second", timeout=SOON)


@SIZES
def test_a_log_is_followed(shifter: Shifter, system: System, first: int) -> None:
    page, name = shifter.page, f"ecc-cobo{first}"
    open_log(shifter, name)
    say(system, name, b"(03:12:44 - 23/11/2026) INFO - alpha\n(03:12:45 - 23/11/2026) ERROR - beta broke\n")
    expect(line(shifter, "beta broke")).to_be_in_viewport(timeout=SOON)
    expect(line(shifter, "beta broke")).to_have_attribute("data-level", "error")
    expect(line(shifter, "beta broke").locator(".log-word")).to_have_text("Error")
    expect(line(shifter, "alpha")).not_to_have_attribute("data-level", re.compile(".*"))

    page.get_by_label("Which lines").select_option("Errors")
    expect(line(shifter, "alpha")).to_be_hidden()
    expect(line(shifter, "beta broke")).to_be_visible()
    page.get_by_label("Which lines").select_option("All lines")
    page.get_by_label("Search in these lines").fill("ALPHA")
    expect(line(shifter, "alpha")).to_be_visible()
    expect(line(shifter, "beta broke")).to_be_hidden()
    expect(page.locator("#log-count")).to_contain_text(re.compile(r"^\d+ of \d+ lines$"))
    say(system, name, b"another alpha\nanother gamma\n")
    expect(line(shifter, "another alpha")).to_be_visible(timeout=SOON)
    expect(line(shifter, "another gamma")).to_be_hidden()
    page.get_by_label("Search in these lines").fill("")
    expect(line(shifter, "another gamma")).to_be_visible()
    has_fit(shifter)


@SIZES
def test_who_reads_further_up_is_left_in_peace(shifter: Shifter, system: System, first: int) -> None:
    page, name = shifter.page, f"ecc-cobo{first + 1}"
    open_log(shifter, name)
    say(system, name, b"".join(b"line %d of many\n" % number for number in range(300)))
    expect(line(shifter, "line 299 of many")).to_be_in_viewport(timeout=SOON)
    box = page.locator("#log-box")
    box.evaluate("(box) => { box.scrollTop = 200; }")
    expect(page.locator("#log-newest")).to_be_visible()
    say(system, name, b"the newest word\n")
    expect(page.locator("#log-newest")).to_contain_text(re.compile(r"new line"), timeout=SOON)
    assert box.evaluate("(box) => box.scrollTop") == 200
    page.locator("#log-newest").click()
    expect(line(shifter, "the newest word")).to_be_in_viewport()

    page.get_by_role("button", name="Following").click()
    say(system, name, b"said while paused\n")
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    with page.expect_response(re.compile("/news")):
        page.get_by_role("button", name="Paused").click()
    expect(line(shifter, "said while paused")).to_be_in_viewport(timeout=SOON)
    has_fit(shifter)


@SIZES
def test_whatever_a_program_prints_is_shown_as_text(shifter: Shifter, system: System, first: int) -> None:
    name = f"router-cobo{first + 2}"
    open_log(shifter, name)
    say(system, name, b"<img src=x onerror=alert(1)><b>bold</b>\r\n")
    expect(line(shifter, "<img src=x onerror=alert(1)><b>bold</b>")).to_be_visible(timeout=SOON)
    say(system, name, "Prüfsumme µ utf-8\n".encode() + "Prüfsumme µ latin\n".encode("latin-1"))
    expect(line(shifter, "Prüfsumme µ latin")).to_be_visible(timeout=SOON)
    expect(line(shifter, "Prüfsumme µ utf-8")).to_be_visible()
    say(system, name, b"\x1b[1;31m** red\x1b[0m and nul \0 end\n")
    expect(line(shifter, "** red and nul ^@ end")).to_have_attribute("data-level", "error", timeout=SOON)
    say(system, name, bytes(range(256)) * 20 + b"\nafter the binary\n")
    expect(line(shifter, "after the binary")).to_be_visible(timeout=SOON)
    say(system, name, b"x" * 1_000_000 + b" the end of a megabyte\nand then\n")
    expect(line(shifter, "and then")).to_be_visible(timeout=SOON)
    expect(line(shifter, "the end of a megabyte")).to_contain_text("are left out")
    assert shifter.page.locator("#log-lines img, #log-lines b:not(.log-word)").count() == 0
    has_fit(shifter)


@SIZES
def test_a_file_that_is_rotated_removed_or_comes_back(shifter: Shifter, system: System, first: int) -> None:
    name = f"ecc-cobo{first + 3}"
    open_log(shifter, name)
    say(system, name, b"words of the old file\n")
    expect(line(shifter, "words of the old file")).to_be_visible(timeout=SOON)
    log_file(system, name).write_bytes(b"words of the new file\n" * 400)
    expect(line(shifter, "The file begins anew here")).to_have_count(1, timeout=SOON)
    expect(line(shifter, "words of the new file").last).to_be_in_viewport()
    log_file(system, name).rename(log_file(system, name).with_suffix(".old"))
    state = shifter.page.locator("#log-state")
    expect(state).to_contain_text("there is no such file", timeout=SOON)
    expect(line(shifter, "words of the new file").last).to_be_visible()
    shifter.page.get_by_role("link", name="What to do").click()
    expect(shifter.page).to_have_url(re.compile("logs-and-events/#not-readable"))
    shifter.page.go_back()
    log_file(system, name).write_bytes(b"it is back\n")
    expect(line(shifter, "it is back")).to_be_visible(timeout=SOON)
    expect(state).to_contain_text("Read each second", timeout=SOON)
    has_fit(shifter)


def left(shifter: Shifter) -> int:
    """What the navigation says that nobody has acknowledged."""
    count = shifter.page.get_by_role("navigation", name="Main").locator("[data-count]").text_content() or "0"
    return int(count)


@SIZES
def test_what_happens_is_seen_and_acknowledged(shifter: Shifter, system: System, first: int) -> None:
    page = shifter.page
    shifter.go("/log/")
    before = left(shifter)
    kill = f"router-cobo{first + 4}"
    page.reload()
    shifter.until_in_touch()
    system.fault(kill, "die")
    expect(row(page, kill, "is not running")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("navigation", name="Main").locator("[data-count]")).to_have_text(str(before + 1))
    row(page, kill, "is not running").get_by_role("button", name="Acknowledge").click()
    expect(row(page, kill, "is not running").locator(".noted")).to_contain_text("✓ shifter")
    expect(page.locator("#action-message")).to_contain_text("1 event acknowledged")
    if before == 0:
        expect(page.get_by_role("navigation", name="Main").locator("[data-unacknowledged]")).to_be_hidden()

    row(page, kill, "is not running").get_by_role("link", name=kill, exact=True).click()
    expect(page.locator("#events tbody tr .about").first).to_contain_text(kill)
    assert {text.strip().split()[0] for text in page.locator("#events .about").all_inner_texts()} == {kill}
    page.get_by_label("Text", exact=True).fill("no such words")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#event-list")).to_contain_text("No event fits")
    page.get_by_role("link", name="Show all").first.click()
    expect(row(page, kill, "is not running")).to_be_visible()
    has_fit(shifter)


def row(page: Page, subject: str, words: str) -> Locator:
    return page.locator("#events tbody tr").filter(has_text=subject).filter(has_text=words).first
