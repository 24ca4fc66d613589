"""Every page, and every state of the whole, leads to the paragraph of the manual that explains it."""

import pytest
from django.test import Client

from attpcdaq.web import manual_places
from attpcdaq.web.roles import EXPERT_REASON, OBSERVER_REASON
from attpcdaq.web.templatetags.manual_tags import manual_of_reason, manual_of_state
from tests.docs.building import DOCS, Manual, build_served
from tests.web.drawn import drawn
from tests.web.everywhere import something_at_every_address
from tests.web.page import Page
from tests.web.people import admin, browser, expert, observer
from tests.web.situations import situations
from tests.web.test_audited_routes import ADDRESSES

# No pages, or none on which anything can be pressed.
WITHOUT = ("/api/", "/events/", "/help/", "/logout/", "/wall/")
TITLES = {
    "No hardware set up": "No hardware set up",
    "Monitor is not running": "Monitor is not running",
    "Idle": "Idle, Described or Prepared",
    "Prepared": "Idle, Described or Prepared",
    "Ready": "Ready",
    "Run 12 is running": "Run N is running",
    "Run 7 is closing": "A run is on its way",
    "Run 345 is not taking all data": "Run N is not taking all data",
    "Run 3: a disk is nearly full": "Run N: a disk is nearly full",
    "Go to Ready under way": "A command is under way",
    "Transition under way": "Transition under way",
    "Mixed states": "Mixed states",
    "State unknown": "State unknown",
    "Needs attention": "Needs attention",
    "Data are taken, but no run is open": "Data are taken, but no run is open",
}


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual(build_served())


@pytest.mark.parametrize("title", TITLES)
def test_a_state_of_the_whole(manual: Manual, title: str) -> None:
    assert manual.heading_at(manual_of_state(title).removeprefix("/help/")) == TITLES[title]


def test_the_status_page_shows_the_link_in_every_situation(manual: Manual, db: None) -> None:
    for name, shown in situations().items():
        link = Page.of(drawn(shown, expert()).encode()).id("state-manual").get("href") or ""
        assert manual.has(link.removeprefix("/help/")), name


def test_every_page_leads_to_its_section(manual: Manual, db: None) -> None:
    something_at_every_address()
    client, seen = browser(admin()), 0
    for address in (each for each in ADDRESSES if not each.startswith(WITHOUT)):
        answer = client.get(address)
        if answer.status_code == 200 and b"</main>" in getattr(answer, "content", b""):
            link = Page.of(answer.content).id("page-manual").get("href") or ""
            assert "#" in link, f"{address} ({answer.resolver_match.url_name}) has no section in web/manual_places.py"
            assert manual.has(link.removeprefix("/help/")), f"{address}: {link}"
            seen += 1
    assert seen > 10


def test_strangers_too(manual: Manual, db: None) -> None:
    assert Page.of(Client().get("/login/").content).id("page-manual").get("href") == "/help/pages/#log-in"


def test_no_section_is_named_in_vain(manual: Manual) -> None:
    headings = (DOCS / "pages.md").read_text()
    for section in set(manual_places.SECTION_OF.values()):
        assert manual.heading_at(f"pages/#{section}").lower() in headings.lower()


@pytest.mark.parametrize(
    "reason",
    ["Run 1 is still running.", "There is no active experiment.", OBSERVER_REASON, EXPERT_REASON, "Whatever else."],
)
def test_a_refusal_leads_to_its_paragraph(manual: Manual, reason: str) -> None:
    assert manual.has(manual_of_reason(reason).removeprefix("/help/"))


def test_a_page_that_refuses_shows_it(manual: Manual, db: None) -> None:
    for address, headers in (("/actions/start", {"HX-Request": "true"}), ("/runs/experiments/activate", {})):
        answer = browser(observer()).post(address, headers=headers)
        assert answer.status_code == 403
        assert manual_of_reason(OBSERVER_REASON) in answer.content.decode()
