"""One click out of a mess, in a real browser: go on without a board, adopt or stop, restart what is wedged."""

import re

import pytest
from playwright.sync_api import Page, expect

from get_protocol.state_machine import Transition
from tests.e2e.demos import Demo
from tests.e2e.other_program import call_all
from tests.e2e.pages import DESKTOP, Shifter
from tests.e2e.system import System


@pytest.fixture
def shifter(page: Page, demo: Demo, system: System) -> Shifter:
    """Logged in, every board Ready."""
    system.ready()
    page.set_viewport_size(DESKTOP)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


def test_the_system_goes_on_without_a_board_and_takes_it_back(shifter: Shifter, system: System) -> None:
    page = shifter.page
    shifter.sees_all("ready")
    menu = shifter.controls_of("ecc-cobo4")
    menu.get_by_label("Reason").fill("its high voltage trips")
    menu.get_by_role("button", name="Exclude").click()
    expect(menu).to_contain_text("Excluded: its high voltage trips")
    menu.get_by_role("button", name="Close").click()
    expect(page.locator("#excluded")).to_contain_text("ecc-cobo4 its high voltage trips")
    expect(page.locator("#overall-reasons")).to_contain_text("ecc-cobo4")
    shifter.shoot("status-excluded")

    shifter.press("start")
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    shifter.sees_all("running", 10)
    expect(page.locator("#run-without")).to_contain_text("ecc-cobo4: its high voltage trips")
    shifter.press("stop")
    assert "ecc-cobo4" in system.closed()["excluded"]
    page.get_by_role("button", name="Include again").click()
    expect(page.locator("#excluded")).to_be_hidden()
    assert shifter.complaints == []


def test_boards_that_run_for_nobody_are_adopted_or_stopped(shifter: Shifter, system: System) -> None:
    page = shifter.page
    shifter.sees_all("ready")
    call_all(system.ecc_servers, Transition.START)
    expect(page.locator("#loose")).to_be_visible(timeout=15_000)
    expect(page.locator("#overall")).to_have_attribute("data-level", "bad")
    shifter.shoot("status-loose")
    page.get_by_label("Title of the run", exact=True).fill("found running")
    page.get_by_role("button", name="Adopt as run").click()
    shifter.sees_title(re.compile(r"Run \d+ is running"))
    expect(page.locator("#run")).to_contain_text("Adopted")
    shifter.press("stop")
    assert (system.closed()["title"], system.closed()["adopted"]) == ("found running", True)
    assert shifter.complaints == []


def test_a_wedged_server_is_restarted_by_an_expert_and_is_ready_again(page: Page, demo: Demo, system: System) -> None:
    system.ready()
    page.set_viewport_size(DESKTOP)
    expert = Shifter(page, demo)
    expert.log_in("expert")
    expert.take_control()
    expert.sees_all("ready")
    system.fault("ecc-cobo6", "wedge", operation="Breakup", times=1)
    expert.step("breakup")
    expect(page.locator('[data-trouble="wedged"]')).to_be_visible(timeout=30_000)
    expert.shoot("status-wedged")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator('[data-restart="ecc-cobo6"]').click()
    expect(page.locator('[data-trouble="wedged"]')).to_be_hidden(timeout=60_000)
    expert.press("go_ready")
    expert.sees_all("ready")
    assert expert.complaints == []
    expert.release_control()
