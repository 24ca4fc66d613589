"""An expert at the setup pages, at a desk and on a telephone: every task with the mouse, nothing behind the pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, SHOTS, Shifter

SCREENS = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
WITHIN = 20_000
STICKS_OUT = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture
def expert(page: Page, demo: Demo, screen: ViewportSize) -> Iterator[Shifter]:
    """Logged in, with the setup page open; no script complains, nothing is wider than the screen."""
    page.set_viewport_size(screen)
    who = Shifter(page, demo)
    who.log_in("expert")
    who.go("/setup/")
    yield who
    assert page.evaluate(STICKS_OUT) <= 0
    assert who.complaints == []


def shot(page: Page, name: str, screen: ViewportSize) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"setup-{name}-{screen['width']}.png", full_page=True)


@SCREENS
def test_a_saved_connection_is_tried(expert: Shifter, screen: ViewportSize) -> None:
    page = expert.page
    page.get_by_role("button", name="Test the connection to ecc-cobo3").click()
    result = page.locator("#test-place")
    expect(result).to_contain_text("It works", timeout=WITHIN)
    expect(result).to_contain_text("The ECC server answers in")
    expect(result).to_contain_text("Its log file /logs/ecc-cobo3.log is there.")
    shot(page, "tested", screen)
    page.get_by_role("button", name="Test the connection to router-cobo3").click()
    expect(result).to_contain_text("dataRouter runs", timeout=WITHIN)
    page.get_by_role("button", name="Test the connection to node-cobo3").click()
    expect(result).to_contain_text("The log-in works", timeout=WITHIN)
    assert page.evaluate(STICKS_OUT) <= 0


@SCREENS
def test_an_address_is_tried_before_it_is_saved(expert: Shifter, screen: ViewportSize) -> None:
    page = expert.page
    page.get_by_role("link", name="ecc-cobo3", exact=True).click()
    port = page.get_by_label("Port", exact=True)
    right = port.input_value()
    port.fill("1")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#test-place")).to_contain_text("It does not work", timeout=WITHIN)
    expect(page.locator("#test-place")).to_contain_text("refused")
    expect(port).to_have_value("1")
    shot(page, "form", screen)
    port.fill("")
    port.fill(right)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#test-place")).to_contain_text("It works", timeout=WITHIN)


@SCREENS
def test_a_node_is_added_changed_and_removed(expert: Shifter, screen: ViewportSize) -> None:
    page, name = expert.page, f"spare-{screen['width']}"
    page.get_by_role("link", name="Add a node").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address", exact=True).fill("10.0.0.999")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorlist")).to_contain_text("four numbers from 0 to 255")
    page.get_by_label("Address", exact=True).fill("10.0.0.9")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#nodes")).to_contain_text(name)
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_label("Name", exact=True).fill(f"{name}-b")
    page.get_by_label("SSH user").fill("attpc")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("ssh_user (none) → attpc")
    page.get_by_role("link", name=f"{name}-b", exact=True).click()
    page.get_by_role("link", name="Remove …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Remove the node {name}-b?")
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator("#nodes")).not_to_contain_text(f"{name}-b")


@SCREENS
def test_a_board_is_made_row_by_row(expert: Shifter, screen: ViewportSize) -> None:
    page, number = expert.page, screen["width"]
    page.get_by_role("link", name="Add an ECC server").first.click()
    page.get_by_label("Name", exact=True).fill(f"ecc-{number}")
    page.get_by_label("Address", exact=True).fill("10.0.0.9")
    page.get_by_label("Node", exact=True).select_option("node-cobo0")
    page.get_by_role("button", name="Save").click()
    draft = page.locator("#draft")
    expect(draft).to_contain_text("drives no board")
    shot(page, "draft", screen)
    draft.get_by_role("link", name="Add a data router").click()
    page.get_by_label("Name", exact=True).fill(f"router-{number}")
    page.get_by_label("Address", exact=True).fill("10.0.0.9")
    page.get_by_label("Node", exact=True).select_option("node-cobo0")
    page.get_by_label("Staging directory").fill(f"/staging-{number}")
    page.get_by_role("button", name="Save").click()
    draft.get_by_role("link", name="Add a board").click()
    page.get_by_label("Sends as").fill(f"CoBo[{number}]")
    page.get_by_label("ECC server", exact=True).select_option(f"ecc-{number}")
    page.get_by_label("Data router", exact=True).select_option(f"router-{number}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would change")
    shot(page, "preview", screen)
    page.get_by_role("button", name="Load this setup: 3 changes").click()
    expect(page.locator("#boards")).to_contain_text(f"CoBo[{number}]")
    page.get_by_role("link", name=f"CoBo[{number}]", exact=True).click()
    page.get_by_role("link", name="Remove …").click()
    expect(page.locator("main")).to_contain_text(f"router-{number}")
    page.get_by_role("button", name="Remove all of this").click()
    expect(page.locator("#boards")).not_to_contain_text(f"CoBo[{number}]")


@SCREENS
def test_one_configuration_for_all_and_another_for_one(expert: Shifter, screen: ViewportSize) -> None:
    page = expert.page
    page.get_by_label("The same for all").select_option("fullreadout/fullreadout")
    page.get_by_role("button", name="Choose for all").click()
    expect(page.get_by_role("status").first).to_contain_text("fullreadout / fullreadout: 11 ECC servers changed.")
    page.locator("#servers tr", has_text="ecc-cobo3").get_by_role("link", name="All that fit").click()
    page.get_by_label("cobo3 / experiment / experiment").check()
    shot(page, "choices", screen)
    page.get_by_role("button", name="Save the choice").click()
    expect(page.locator("#servers tr", has_text="ecc-cobo3")).to_contain_text("No other has these names")
    page.get_by_label("The same for all").select_option("experiment/experiment")
    page.get_by_role("button", name="Choose for all").click()
    expect(page.get_by_role("status").first).to_contain_text("10 ECC servers changed.")


@SCREENS
def test_easy_setup_shows_what_would_change(expert: Shifter, screen: ViewportSize) -> None:
    page = expert.page
    page.get_by_role("link", name="Easy setup").click()
    page.get_by_label("Number of CoBos").fill("9")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="Goes away")).to_be_visible()
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    expect(page.locator("main")).to_contain_text("The host keys pinned for")
    shot(page, "easy", screen)
    page.get_by_role("link", name="Leave everything as it is").click()
    expect(page.locator("#boards")).to_contain_text("CoBo[9]")
