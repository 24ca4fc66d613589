"""Sheets, observables, measurements, plots and experiments in a real browser, at a desk and on a telephone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.demos import Demo
from tests.e2e.pages import DESKTOP, PHONE, Shifter
from tests.e2e.system import System

SCREENS = {"desktop": DESKTOP, "phone": PHONE}
SHEET = "/runs/of/demo/{}/"


@pytest.fixture(scope="module")
def taken(demo: Demo) -> System:
    """Two runs, closed."""
    system = demo.system()
    system.speed(20)
    for title in ("alphas", "betas"):
        system.ready()
        system.do("start", title=title)
        system.do("stop", confirm=True)
        system.closed()
    return system


@pytest.fixture(params=list(SCREENS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shifter(kind: str, page: Page, demo: Demo, taken: System) -> Iterator[Shifter]:
    page.set_viewport_size(SCREENS[kind])
    shifter = Shifter(page, demo)
    shifter.log_in()
    yield shifter
    assert shifter.sticks_out() <= 0
    assert shifter.complaints == []


def add_observable(page: Page, name: str, **fields: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ").capitalize(), exact=True).fill(value)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#observables")).to_contain_text(name)


def row(page: Page, name: str) -> Locator:
    return page.locator("#observables tbody tr").filter(has_text=name)


def order(page: Page, *names: str) -> list[str]:
    """Which of these names come in which order."""
    rows = page.locator("#observables tbody tr").all_inner_texts()
    return [name for text in rows for name in names if name in text]


def test_a_sheet_is_filled_in_refused_mended_and_remembered(shifter: Shifter, kind: str) -> None:
    page, gas, beam = shifter.page, f"Gas {kind}", f"Beam {kind}"
    shifter.go("/runs/observables/")
    page.get_by_label("Required").check()
    add_observable(page, gas, unit="torr", smallest_value="0", largest_value="800")
    add_observable(page, beam, unit="enA")

    shifter.go(SHEET.format(1))
    # Without a value the sheet of a run that was over before is complete.
    expect(page.locator("#sheet-state")).not_to_contain_text("incomplete")
    expect(page.get_by_label(f"{gas} [torr]")).to_have_attribute("inputmode", "decimal")
    page.get_by_label(f"{gas} [torr]").fill("801")
    page.get_by_label(f"{beam} [enA]").fill("12.5")
    expect(page.locator("#sheet-unsaved")).to_have_text("2 fields not saved yet")
    page.get_by_role("button", name="Save the run sheet").click()
    expect(page.locator("#sheet-refused")).to_contain_text("801 is not allowed: it must be 0 to 800 torr")
    expect(page.get_by_label(f"{beam} [enA]")).to_have_value("12.5")
    page.get_by_label(f"{gas} [torr]").fill("300.5")
    page.get_by_label(f"{gas} [torr]").press("Enter")
    expect(page.get_by_text("The run sheet was saved.")).to_be_visible()
    expect(page.locator("#sheet-unsaved")).to_have_text("")
    expect(page.locator("#sheet-history")).to_contain_text(gas)
    expect(page.locator("#sheet-history tr").filter(has_text=gas).first).to_contain_text("after the run")

    shifter.go(SHEET.format(2))
    page.get_by_label(f"{beam} [enA]").fill("13.5")
    page.get_by_role("button", name=f"{gas} As in run 1: 300.5").click()
    expect(page.get_by_text(f"Taken from the previous run: {gas}.")).to_be_visible()
    expect(page.get_by_label(f"{gas} [torr]")).to_have_value("300.5")
    expect(page.get_by_label(f"{beam} [enA]")).to_have_value("13.5")
    shifter.shoot("sheet")
    page.set_viewport_size(SCREENS[kind])


def test_what_is_typed_is_not_lost(shifter: Shifter, demo: Demo) -> None:
    page = shifter.page
    shifter.go(SHEET.format(1))
    title = page.get_by_label("Title", exact=True)
    title.fill("typed and not saved")

    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Run list").first.click()
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    assert asked == ["beforeunload"]
    shifter.go(SHEET.format(1))
    expect(page.locator("#sheet-restored")).to_contain_text("Title")
    expect(title).to_have_value("typed and not saved")

    # The session ends; after a new log-in the text is still there.
    page.context.clear_cookies(name=re.compile("session"))
    page.get_by_role("button", name="Save the run sheet").click()
    page.get_by_label("Username").fill("shifter")
    page.get_by_label("Password").fill(demo.password_of("shifter"))
    page.get_by_role("button", name="Log in").click()
    expect(title).to_have_value("typed and not saved")

    page.locator("#sheet-restored").get_by_role("button", name="Throw it away").click()
    expect(page.locator("#sheet-restored")).to_be_hidden()
    expect(title).not_to_have_value("typed and not saved")


def test_of_two_writers_of_one_field_the_second_is_asked(shifter: Shifter, taken: System, kind: str) -> None:
    page = shifter.page
    shifter.go(SHEET.format(2))
    page.get_by_label("Title", exact=True).fill(f"mine on a {kind}")
    taken.api("PATCH", "/runs/2/sheet", {"title": f"theirs, {kind}"})
    expect(page.locator("#sheet-history")).to_contain_text(f"theirs, {kind}")
    page.get_by_role("button", name="Save the run sheet").click()
    expect(page.locator("#sheet-refused")).to_contain_text(f"somebody else wrote 'theirs, {kind}' meanwhile")
    page.get_by_role("button", name="Save the run sheet").click()
    expect(page.get_by_text("The run sheet was saved.")).to_be_visible()
    expect(page.get_by_label("Title", exact=True)).to_have_value(f"mine on a {kind}")


def test_observables_are_put_in_order_retired_and_copied(shifter: Shifter, kind: str) -> None:
    page, names = shifter.page, [f"{letter} on a {kind}" for letter in ("First", "Second", "Third")]
    shifter.go("/runs/observables/")
    for name in names:
        add_observable(page, name)

    up = page.get_by_role("button", name=f"Move {names[2]} up")
    up.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#observables-said")).to_contain_text(f"{names[2]} is now")
    expect(up).to_be_focused()
    assert order(page, *names) == [names[0], names[2], names[1]]

    handle, target = row(page, names[0]).locator("[data-drag]"), row(page, names[1])
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    below = target.bounding_box()
    assert below
    page.mouse.move(below["x"] + 20, below["y"] + below["height"] - 4, steps=12)
    page.mouse.up()
    expect(page.locator("#observables-said")).to_have_text("The new order is kept.")
    page.reload()
    assert order(page, *names) == [names[2], names[1], names[0]]

    row(page, names[1]).get_by_role("button", name="Retire").click()
    expect(page.locator("#retired")).to_contain_text(names[1])
    shifter.go(SHEET.format(1))
    expect(page.get_by_label(names[1])).to_have_count(0)
    expect(page.get_by_label(names[0])).to_be_visible()
    shifter.go("/runs/observables/")
    page.get_by_role("button", name=f"Bring back {names[1]}").click()
    expect(page.locator("#observables tbody tr").last).to_contain_text(names[1])
    shifter.shoot("observables-in-order")
    page.set_viewport_size(SCREENS[kind])


def test_measurements_are_looked_at_and_plotted(shifter: Shifter, taken: System, kind: str) -> None:
    page, name = shifter.page, f"Field {kind}"
    taken.api("POST", "/observables", {"name": name, "unit": "V/cm"})
    for number, value in ((1, 200), (2, 250)):
        taken.api("PATCH", f"/runs/{number}/sheet", {"measurements": {name: value}})
    shifter.go("/runs/measurements/")
    expect(page.locator("#measurements thead")).to_contain_text(name)
    expect(page.locator("#measurements tbody tr").first).to_contain_text("250")
    taken.api("PATCH", "/runs/2/sheet", {"measurements": {name: 260}})
    expect(page.locator("#measurements tbody tr").first).to_contain_text("260")
    shifter.shoot("measurements")
    page.set_viewport_size(SCREENS[kind])

    page.get_by_role("link", name="Plot them").click()
    page.get_by_label("Plot", exact=True).select_option(label=f"{name} [V/cm]")
    page.get_by_label("And (2)", exact=True).select_option(label="Duration [min]")
    page.get_by_label("Against", exact=True).select_option("time")
    page.get_by_role("button", name="Draw").click()
    plot = page.get_by_role("img", name=re.compile(f"{name}.*over time"))
    expect(plot.locator("circle")).to_have_count(2)
    expect(plot.locator("title").last).to_have_text("Run 2: 260 V/cm")
    page.get_by_text("The numbers").click()
    expect(page.locator("#plot-numbers tbody tr").first).to_contain_text("260")
    shifter.shoot("plots")
    page.set_viewport_size(SCREENS[kind])


def test_an_experiment_is_made_chosen_and_renamed(shifter: Shifter, taken: System, kind: str) -> None:
    page, name = shifter.page, f"e2001-{kind}"
    shifter.go("/runs/experiments/")
    page.get_by_label("New experiment").fill("not a name")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Use 1 to 64 letters")).to_be_visible()
    page.get_by_label("New experiment").fill(name)
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name=f"Make active {name}").click()
    expect(page.get_by_text(f"Experiment {name} is active")).to_be_visible()
    page.get_by_role("button", name="Make active demo").click()
    expect(page.get_by_text("Experiment demo is active")).to_be_visible()

    page.get_by_role("link", name="Rename demo").click()
    expect(page.locator("main")).to_contain_text("stay there: the directory was fixed with its first run")
    page.get_by_label("New name").fill(name.upper())
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text(f"There is an experiment {name} already")).to_be_visible()
    page.get_by_label("New name").fill(f"46Ar-{kind}")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text(f"demo is now called 46Ar-{kind}; its data lie in demo/.")).to_be_visible()
    shifter.shoot("experiments")
    page.set_viewport_size(SCREENS[kind])
    shifter.go(SHEET.format(1))
    expect(page.get_by_role("heading", name=f"46Ar-{kind} run 1")).to_be_visible()
    taken.api("PATCH", f"/experiments/46Ar-{kind}", {"name": "demo"})
