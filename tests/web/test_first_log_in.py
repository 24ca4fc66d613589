"""The first log-in in a real browser, with and without scripts: a one-time password, and then one of the own."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from attpcdaq.audit.people import DAQ
from attpcdaq.web import accounts
from tests.docs.building import build_served
from tests.web.people import admin

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "quiet-magnet-7"
SCREENS = {"phone": (390, 844), "desktop": (1440, 1000)}
STICKS_OUT = "document.documentElement.scrollWidth - window.innerWidth"


def shoot(page: Page, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for screen, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=folder / f"{name}-{screen}.png")
        assert page.evaluate(STICKS_OUT) <= 0, f"{name} is wider than a {screen}'s screen"


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_it_leads_to_an_own_password(
    browser: Browser, live_server: Any, pytestconfig: pytest.Config, scripts: bool
) -> None:
    shots = Path(pytestconfig.getoption("--output")) / "first-log-in"
    password = accounts.first_admin(DAQ)
    assert password
    page = browser.new_page(java_script_enabled=scripts)
    page.goto(f"{live_server.url}/runs/")
    log_in(page, password)
    expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_empty()
    shoot(page, shots, f"choose-{'with' if scripts else 'without'}-scripts")
    page.goto(f"{live_server.url}/setup/")
    expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
    page.get_by_label("Old password").fill(password)
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password confirmation").fill(password)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Choose another password than the one that you have.")).to_be_visible()
    page.get_by_label("Old password").fill(password)
    page.get_by_label("New password", exact=True).fill(OWN)
    page.get_by_label("New password confirmation").fill(OWN)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    expect(page.get_by_role("link", name="Status")).to_be_visible()
    shoot(page, shots, f"afterwards-{'with' if scripts else 'without'}-scripts")
    page.get_by_role("button", name="Account of").click()
    page.get_by_role("button", name="Log out").click()
    log_in(page, OWN)
    expect(page.get_by_role("link", name="Status")).to_be_visible()
    page.close()


def test_an_admin_gives_a_new_password_to_who_forgot_the_own(
    page: Page, live_server: Any, pytestconfig: pytest.Config
) -> None:
    shots = Path(pytestconfig.getoption("--output")) / "first-log-in"
    accounts.create("a.shifter-with-a-long-name", "shifter", DAQ)
    user = admin("admin")
    user.set_password(OWN)
    user.save()
    page.goto(f"{live_server.url}/accounts/")
    log_in(page, OWN)
    page.get_by_role("row", name="a.shifter").get_by_role("button", name="New password").click()
    expect(page.locator("#new-password")).to_contain_text("It is shown only now, and is for one log-in")
    shoot(page, shots, "accounts")


def test_the_manual_for_strangers(page: Page, live_server: Any, pytestconfig: pytest.Config) -> None:
    build_served()
    shots = Path(pytestconfig.getoption("--output")) / "first-log-in"
    page.goto(f"{live_server.url}/help/")
    page.get_by_role("main").get_by_role("link", name="Troubles, and what to do").click()
    expect(page.get_by_role("heading", name="Troubles, and what to do")).to_be_visible()
    shoot(page, shots, "manual")
    page.get_by_role("link", name="To the DAQ").click()
    expect(page.get_by_label("Username")).to_be_visible()
