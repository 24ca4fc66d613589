"""A bad day as somebody at a browser sees it: on the page that is open, at the press of a button, at a reload."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.bad_days import PASSWORD, ship
from tests.services.postgresql import SURVIVING, running_postgresql

AWAY = "The database does not answer"


def test_the_database_is_killed_behind_an_open_page(page: Page, tmp_path: Path) -> None:
    with (
        running_postgresql(SURVIVING) as server,
        ship(tmp_path, server.create_database("daq"), service="both") as running,
    ):
        running.migrate()
        url = f"http://{running.address}/"
        page.goto(url)
        page.fill("[name=username]", "shifter")
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("body[data-heard=yes]")).to_be_visible()
        server.process.kill()
        expect(page.locator("#out-of-touch")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Take control", exact=True).click()
        said = page.locator("#control-message [data-trouble]")
        expect(said).to_contain_text(AWAY, timeout=15_000)
        expect(said).to_contain_text("was not taken")
        expect(page.locator("body")).not_to_contain_text("error 503")
        page.goto(url)
        expect(page.get_by_role("heading", name=AWAY)).to_be_visible()
        server.process.start()
        server.process.wait_until(server.answers, 20)
        # it comes back by itself
        expect(page.locator("#control-holder")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Take control", exact=True).click()
        expect(page.locator("#control-holder")).to_contain_text("you")
