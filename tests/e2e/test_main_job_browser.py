"""The main job in a real browser: what the shifter sees and presses, and what then lies on disk."""

import re
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, Shifter
from tests.e2e.system import System
from tests.e2e.waiting import wait_for


@pytest.fixture
def shifter(page: Page, demo: Demo, system: System) -> Shifter:
    """Logged in, looking at the status page."""
    page.set_viewport_size(DESKTOP)
    shifter = Shifter(page, demo)
    shifter.log_in()
    return shifter


def test_without_a_log_in_there_is_nothing_to_see(page: Page, demo: Demo) -> None:
    shifter = Shifter(page, demo)
    shifter.go("/runs/")
    expect(page).to_have_url(re.compile("/login/"))
    shifter.shoot("login")
    page.get_by_label("Username").fill("shifter")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_idle_to_ready_to_a_closed_run(shifter: Shifter, system: System) -> None:
    page = shifter.page
    shifter.sees_all("idle")
    shifter.shoot("status-idle")
    expect(page.locator("#advice")).to_have_text("Press Go to Ready")
    stages = [
        "Describe ecc-cobo0 .. ecc-cobo9, ecc-mutant",
        "Prepare ecc-mutant",
        "Prepare ecc-cobo0 .. ecc-cobo9",
        "Configure ecc-cobo0 .. ecc-cobo9",
        "Configure ecc-mutant",
    ]
    shifter.sees_plan("go_ready", stages)
    shifter.press("go_ready")
    shifter.sees_all("ready")
    expect(page.locator("#advice")).to_have_text("Press Start run")
    shifter.shoot("status-ready")

    page.get_by_label("Title of the next run").fill("seen in a browser")
    shifter.press("start")
    shifter.sees_title("Run 1 is running")
    wait_for(lambda: all(map(len, system.files().values())), "files of every board")
    expect(page.locator('[data-router="router-mutant"]')).to_contain_text("kB")
    before = page.locator("#duration").inner_text()
    expect(page.locator("#duration")).not_to_have_text(before)
    shifter.shoot("status-running")

    shifter.press("stop")
    expect(page.locator("#last-run")).to_have_text("run 1", timeout=30_000)
    shifter.shoot("status-closed")
    assert system.closed()["title"] == "seen in a browser"
    assert all(system.files("staging/demo/run_0001").values())
    assert not any(system.files().values())
    assert shifter.complaints == []


def a_closed_run(system: System) -> int:
    """The number of a run that was taken and closed just now."""
    system.ready()
    system.do("start")
    system.do("stop")
    number: int = system.closed()["number"]
    return number


def test_the_run_sheet_is_filled_in_and_carried_over(shifter: Shifter, system: System) -> None:
    page, first = shifter.page, a_closed_run(system)
    shifter.go("/runs/observables/")
    page.get_by_label("Name").fill("Gas pressure")
    page.get_by_label("Unit").fill("Torr")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#observables")).to_contain_text("Gas pressure")
    shifter.shoot("observables")

    shifter.go(f"/runs/of/demo/{first}/")
    page.locator("#id_notes").fill("The first run of the demo.")
    page.get_by_label("Gas pressure").fill("300.5")
    page.get_by_role("button", name="Save the run sheet").click()
    expect(page.get_by_label("Gas pressure")).to_have_value("300.5")
    shifter.shoot("run-sheet")
    measured = system.api("GET", f"/runs/{first}")[1]
    assert (measured["measurements"][0]["name"], measured["measurements"][0]["value"]) == ("Gas pressure", 300.5)
    assert measured["notes"] == "The first run of the demo."

    second = a_closed_run(system)
    shifter.go(f"/runs/of/demo/{second}/")
    page.get_by_role("button", name=f"Fill empty fields as in run {first}", exact=True).click()
    expect(page.get_by_label("Gas pressure")).to_have_value("300.5")
    shifter.go("/runs/")
    expect(page.locator("#runs tbody tr")).to_have_count(second)
    shifter.shoot("run-list")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1 + second
    assert "Gas pressure" in lines[0]
    assert shifter.complaints == []


def test_the_single_steps_lead_there_too(shifter: Shifter, system: System) -> None:
    system.ready()
    shifter.press("go_idle")
    shifter.sees_all("idle")
    for action, state in (("describe", "described"), ("prepare", "prepared"), ("configure", "ready")):
        shifter.step(action)
        shifter.sees_all(state)
    assert shifter.complaints == []


def test_a_board_that_fails_to_configure_is_named_and_retried(shifter: Shifter, system: System) -> None:
    page, message = shifter.page, "CoBo 3 does not answer on its slow control link"
    system.ready()
    shifter.sees_all("ready")
    shifter.step("breakup")
    shifter.sees_all("prepared")
    system.fault("ecc-cobo3", "fail", operation="Configure", message=message)
    shifter.press("go_ready")
    expect(page.locator('[data-ecc="ecc-cobo3"] [data-last-error]')).to_contain_text(message, timeout=30_000)
    shifter.sees_all("ready", 9)
    expect(page.locator("#overall")).to_have_attribute("data-level", "bad")
    expect(page.locator("#overall")).to_contain_text("ecc-cobo3")
    expect(page.locator("#failed")).to_contain_text(message)
    expect(page.locator("#advice")).to_contain_text("Press Retry")
    shifter.shoot("status-failed")

    system.clear_faults()
    shifter.sees_plan("retry", ["Configure ecc-cobo3", "Configure ecc-mutant"])
    page.locator("#retry").click()
    shifter.sees_all("ready")
    expect(page.locator("#overall")).to_have_attribute("data-level", "ok")
    expect(page.locator("#failed")).to_be_hidden()
    assert shifter.complaints == []


def test_one_server_alone_has_its_own_buttons(shifter: Shifter, system: System) -> None:
    system.ready()
    shifter.sees_all("ready")
    menu = shifter.controls_of("ecc-cobo7")
    shifter.shoot("server-alone")
    menu.get_by_role("button", name="Breakup").click()
    expect(shifter.state_of("ecc-cobo7").first).to_have_attribute("data-state", "prepared")
    shifter.sees_all("ready", 10)
    shifter.press("go_ready")
    shifter.sees_all("ready")
    assert shifter.complaints == []


def test_the_page_says_when_it_is_out_of_touch_and_comes_back(shifter: Shifter, demo: Demo, system: System) -> None:
    system.ready()
    banner = shifter.page.locator("#out-of-touch")
    expect(banner).to_be_hidden()
    web = [process for process in demo.family() if "gunicorn" in " ".join(process.cmdline())]
    for process in web:
        process.suspend()
    try:
        expect(banner).to_be_visible(timeout=15_000)
        shifter.shoot("out-of-touch")
    finally:
        for process in web:
            process.resume()
    expect(banner).to_be_hidden(timeout=15_000)
    system.do("breakup", ecc_servers=["ecc-mutant"])
    expect(shifter.state_of("ecc-mutant").first).to_have_attribute("data-state", "prepared")
    # Another server in its place: the page comes back to it by itself.
    for process in web:
        with suppress(psutil.NoSuchProcess):  # a worker that ended with the first
            process.kill()
    wait_for(lambda: "web ended unexpectedly" in demo.output, "the demo to notice")
    wait_for(system.answers, "the pages to be served again", 30)
    system.do("configure")
    shifter.sees_all("ready")
    expect(banner).to_be_hidden(timeout=15_000)


@pytest.mark.parametrize("path", ["/setup/", "/setup/easy", "/runs/experiments/"])
def test_the_other_pages_open_and_fit_their_screens(shifter: Shifter, path: str) -> None:
    shifter.go(path)
    expect(shifter.page.get_by_role("heading", level=1)).to_be_visible()
    shifter.shoot(path.strip("/").replace("/", "-"))
    assert shifter.complaints == []
