"""Runs in a real browser, at a desk and on a telephone: found, sorted, looked at, taken away."""

import csv
import json
import re
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, UNTIL_DONE, Shifter
from tests.e2e.system import System

TAKEN = (("alpha source", "testing"), ("first beam", "beam"), ("second beam", "beam"))


@pytest.fixture(scope="module")
def taken(demo: Demo) -> System:
    """Three runs, closed and checked, and a fourth that a server refused to start."""
    system = demo.system()
    system.speed(20)
    for title, run_class in TAKEN:
        system.ready()
        system.do("start", title=title, run_class=run_class)
        system.do("stop", confirm=True)
        system.closed()
    system.ready()
    system.fault("ecc-cobo3", "refuse", operation="Start", times=1)
    system.finished(system.request("start", title="refused by a board"))
    return system


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def shifter(request: pytest.FixtureRequest, page: Page, demo: Demo, taken: System) -> Iterator[Shifter]:
    page.set_viewport_size(request.param)
    shifter = Shifter(page, demo)
    shifter.log_in()
    yield shifter
    assert shifter.complaints == []
    assert shifter.sticks_out() <= 0


def is_phone(page: Page) -> bool:
    size: ViewportSize | None = page.viewport_size
    return size == PHONE


def open_filter(page: Page) -> None:
    """On a desk its fields show already."""
    summary = page.locator("#run-filter > summary")
    if summary.is_visible() and not page.locator("#run-filter[open]").count():
        summary.click()


def shown(page: Page) -> list[str]:
    return page.locator("#runs tbody tr td:first-child").all_inner_texts()


def test_runs_are_found_by_class_text_day_and_state(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/")
    expect(page.locator("#run-list-title")).to_have_text("demo: 4 runs")
    open_filter(page)
    page.get_by_label("Class").select_option("Beam")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#run-list-title")).to_contain_text("that fit")
    assert "Run 1" not in shown(page)
    assert {"Run 2", "Run 3"} <= set(shown(page))

    page.get_by_label("Text or number").fill("SECOND")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#run-list-title")).to_have_text("demo: 1 run that fits")
    assert shown(page) == ["Run 3"]
    expect(page).to_have_url(re.compile("text=SECOND"))
    page.reload()
    expect(page.get_by_label("Text or number")).to_have_value("SECOND")

    page.get_by_label("To", exact=True).fill("2001-01-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#run-list")).to_contain_text("No run fits")
    page.get_by_role("link", name="Show all", exact=True).click()
    expect(page.locator("#run-list-title")).to_have_text("demo: 4 runs")


def test_a_wrong_filter_says_what_is_allowed(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/?since=2026-11-02&until=2026-11-01")
    expect(page.get_by_role("alert")).to_contain_text("To: It must not be before 2026-11-02.")
    expect(page.locator("#runs")).to_have_count(0)
    shifter.shoot("runs-wrong-filter")


def test_the_list_is_sorted_by_any_column(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/")
    assert shown(page) == ["Run 4", "Run 3", "Run 2", "Run 1"]
    if is_phone(page):
        open_filter(page)
        page.get_by_label("Sorted by").select_option("title, up")
        page.get_by_role("button", name="Show", exact=True).click()
    else:
        page.get_by_role("columnheader", name="Title").get_by_role("link").click()
        expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "ascending")
    expect(page).to_have_url(re.compile("sort=title"))
    assert shown(page) == ["Run 1", "Run 2", "Run 4", "Run 3"]
    shifter.shoot("runs-sorted")


def test_what_the_list_shows_is_taken_away(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/?text=beam")
    files = {}
    for name in ("CSV", "Excel", "JSON"):
        with page.expect_download() as download:
            page.locator("#exports").get_by_role("link", name=name).click()
        files[name] = download.value
    assert [files[name].suggested_filename for name in files] == ["demo_runs.csv", "demo_runs.xlsx", "demo_runs.json"]
    lines = list(csv.DictReader(files["CSV"].path().read_text().splitlines()))
    assert [(line["run"], line["title"]) for line in lines] == [("2", "first beam"), ("3", "second beam")]
    found = json.loads(files["JSON"].path().read_text())
    assert (found["asked"], [run["number"] for run in found["runs"]]) == ({"text": "beam"}, [2, 3])
    with ZipFile(files["Excel"].path()) as book:
        assert b"second beam" in book.read("xl/worksheets/sheet1.xml")


def test_a_run_tells_how_it_was_operated(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/")
    page.get_by_role("link", name="Run 2", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("demo run 2")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Timeline").click()
    timeline = page.locator("#run-timeline")
    expect(timeline).to_be_in_viewport()
    expect(timeline.locator(".phases")).to_contain_text("Running")
    expect(timeline.get_by_role("img")).to_be_visible()
    start = timeline.locator("details.order").filter(has_text="Start")
    start.locator("> summary").click()
    expect(start.locator(".lanes svg .call")).to_have_count(11)
    start.get_by_text("11 calls, one by one").click()
    expect(start.locator("tbody tr")).to_have_count(11)
    expect(start.locator("tbody")).to_contain_text("Confirmed")
    shifter.shoot("run")


def test_a_run_that_failed_says_which_board_and_what_to_do(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/of/demo/4/")
    expect(page.locator("#verdict")).to_contain_text("ecc-cobo3")
    order = page.locator("#run-timeline details.order[open]")
    expect(order.locator(".findings")).to_contain_text("ecc-cobo3: Start failed")
    page.locator("#verdict").get_by_role("link").click()
    expect(page.get_by_role("heading", name="What went wrong")).to_be_visible()


def test_the_parts_of_a_runs_page_are_there(shifter: Shifter) -> None:
    page = shifter.page
    shifter.go("/runs/of/demo/3/")
    expect(page.locator("#run-manifest .badge[data-verdict]")).not_to_have_text("Being checked", timeout=UNTIL_DONE)
    for part, text in (
        ("run-facts", "demo/run_0003/"), ("run-configuration", "ecc-mutant"), ("run-events", "Run 3 is closed"),
        ("run-rates", "router-cobo0"), ("sheet-history", "Nobody has written"), ("notes", "Add a note"),
    ):  # fmt: skip
        expect(page.locator(f"#{part}")).to_contain_text(text)
    page.locator("#run-files summary").click()
    page.get_by_role("link", name=re.compile("Show all [0-9]+ files")).click()
    expect(page.locator("#files tbody tr:not(.group)")).not_to_have_count(0)
    expect(page.locator("#files")).to_contain_text("CoBo9_AsAd3")
    page.get_by_role("link", name="Run 2", exact=False).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("demo run 2")


def test_a_new_run_comes_into_the_list_by_itself(shifter: Shifter, taken: System) -> None:
    page = shifter.page
    taken.ready()
    shifter.go("/runs/")
    before = len(shown(page))
    taken.do("start", title="seen from the list")
    expect(page.locator("#runs tbody tr")).to_have_count(before + 1)
    expect(page.locator("#runs tbody tr").first).to_contain_text("Running")
    taken.do("stop", confirm=True)
    expect(page.locator("#runs tbody tr").first).to_contain_text("Closed", timeout=UNTIL_DONE)
    taken.closed()
