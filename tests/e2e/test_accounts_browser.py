"""Users and one's own account in a real browser, as an administrator and a new crew member would use them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from attpcdaq_client import Client
from attpcdaq_client.errors import NotAllowed
from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter

OWN = "quiet-magnet-7"


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def screen(request: pytest.FixtureRequest) -> ViewportSize:
    found: ViewportSize = request.param
    return found


@pytest.fixture
def other(browser: Browser, screen: ViewportSize) -> Iterator[Page]:
    """The browser of somebody else."""
    context = browser.new_context(viewport=screen)
    yield context.new_page()
    context.close()


def test_an_account_from_its_beginning_to_its_end(page: Page, other: Page, screen: ViewportSize, demo: Demo) -> None:
    name = f"tim-{screen['width']}"
    page.set_viewport_size(screen)
    admin = Shifter(page, demo)
    admin.log_in("admin")
    admin.go("/accounts/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Role", exact=True).select_option("Observer")
    page.get_by_role("button", name="Make the account").click()
    password = page.locator("#new-password code").inner_text()

    first_log_in(other, admin.url, name, password)
    admin.go("/accounts/")
    page.get_by_label(f"Role of {name}", exact=True).select_option("Shifter")
    page.get_by_role("button", name=f"Set the role of {name}").click()
    expect(page.get_by_text(f"{name} is shifter now.")).to_be_visible()
    if screen == DESKTOP:
        admin.shoot("users")

    token = make_token(other, name)
    with Client(admin.url, token) as client:
        assert (client.accounts.mine().name, client.accounts.mine().role) == (name, "shifter")

        page.set_viewport_size(screen)
        admin.go("/accounts/")
        page.get_by_role("button", name=f"Deactivate {name}").click()
        expect(page.get_by_text(f"{name} can do nothing here any more.")).to_be_visible()
        other.reload()
        expect(other.get_by_label("Username")).to_be_visible()
        with pytest.raises(NotAllowed):
            client.accounts.mine()
    page.get_by_role("button", name=f"Activate {name}").click()
    expect(page.get_by_text(f"{name} may log in again.")).to_be_visible()
    assert admin.sticks_out() <= 0
    assert admin.complaints == []


def first_log_in(page: Page, url: str, name: str, password: str) -> None:
    """With a one-time password, which has to be replaced."""
    page.goto(url)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Old password").fill(password)
    page.get_by_label("New password", exact=True).fill(OWN)
    page.get_by_label("New password confirmation").fill(OWN)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("Your password was changed.")).to_be_visible()


def make_token(page: Page, name: str) -> str:
    """On the page Your account, reached as a person does."""
    page.get_by_role("button", name="Account of").click()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_label("What it is for").fill(f"laptop of {name}")
    page.get_by_role("button", name="Make the token").click()
    return page.locator("#new-token code").inner_text()


def test_ones_own_tokens(page: Page, screen: ViewportSize, demo: Demo) -> None:
    page.set_viewport_size(screen)
    shifter = Shifter(page, demo)
    shifter.log_in()
    name = f"desk-{screen['width']}"
    token = make_token(page, name)
    if screen == DESKTOP:
        shifter.shoot("account")
        page.set_viewport_size(screen)
    with Client(shifter.url, token) as client:
        assert client.status.now().experiment == "demo"
        shifter.go("/account/")
        expect(page.get_by_text(token)).to_have_count(0)
        page.get_by_role("button", name=f"Revoke the token laptop of {name}").click()
        expect(page.get_by_text(f"The token laptop of {name} opens nothing any more.")).to_be_visible()
        with pytest.raises(NotAllowed):
            client.status.now()
    assert shifter.sticks_out() <= 0
    assert shifter.complaints == []


def test_an_administrator_does_not_lock_everybody_out(page: Page, screen: ViewportSize, demo: Demo) -> None:
    page.set_viewport_size(screen)
    admin = Shifter(page, demo)
    admin.log_in("admin")
    admin.go("/accounts/")
    row = page.get_by_role("row", name="admin (you)")
    expect(row.get_by_role("button")).to_have_count(0)
    expect(row.get_by_role("link", name="Your account")).to_be_visible()
