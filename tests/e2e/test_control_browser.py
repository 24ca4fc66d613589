"""Two people at two browsers: who is in charge is seen at once, on every page, without a reload."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter


@pytest.fixture
def shifter(page: Page, demo: Demo) -> Shifter:
    page.set_viewport_size(DESKTOP)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


@pytest.fixture
def expert(browser: Browser, demo: Demo) -> Iterator[Shifter]:
    """The other one, with a telephone."""
    context = browser.new_context(viewport=PHONE)
    expert = Shifter(context.new_page(), demo)
    expert.log_in("expert")
    yield expert
    context.close()


def press(person: Shifter, name: str) -> None:
    person.page.get_by_role("button", name=name, exact=True).click()


def sees_in_charge(person: Shifter, who: str) -> None:
    expect(person.page.locator("#control-holder")).to_have_text(who)


def test_asked_handed_over_and_taken_with_a_reason(shifter: Shifter, expert: Shifter) -> None:
    press(shifter, "Take control")
    sees_in_charge(shifter, "you")
    sees_in_charge(expert, "shifter")
    expect(expert.page.locator("#action-go_ready")).to_be_disabled()
    expect(expert.page.locator("#action-stop")).to_be_enabled()

    shifter.go("/runs/")
    press(expert, "Ask for control")
    expect(shifter.page.get_by_role("alert").filter(has_text="expert asks for control")).to_be_visible()
    shifter.shoot("control-asked")
    shifter.page.set_viewport_size(DESKTOP)
    press(shifter, "Hand over to expert")
    sees_in_charge(expert, "you")
    expect(expert.page.locator("#action-go_ready")).to_be_enabled()

    shifter.page.get_by_text("Take it without waiting").click()
    shifter.page.locator("#control-reason").fill("the beam is back")
    press(shifter, "Take control from expert")
    forced = "shifter took control from expert: the beam is back"
    expect(expert.page.locator("#control-forced")).to_have_text(forced)
    expect(expert.page.locator("#control")).to_have_class(re.compile("loud"))
    expert.shoot("control-forced")
    expect(expert.page.locator("#action-go_ready")).to_be_disabled()

    expert.go("/audit/?what=control")
    expect(expert.page.locator("#audit tbody tr").first).to_contain_text(forced)
    expert.shoot("audit")
    press(shifter, "Release")
    sees_in_charge(expert, "nobody")
    assert shifter.complaints == expert.complaints == []
