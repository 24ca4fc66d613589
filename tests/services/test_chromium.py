"""Chromium renders a page that can be used."""

from playwright.sync_api import Page, expect


def test_chromium_renders_a_page_and_clicks(page: Page) -> None:
    page.set_content("<button onclick=\"this.textContent = 'Running'\">Start</button>")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button")).to_have_text("Running")
