"""What is brought about for the pictures, in an order in which each follows from the one before."""

import re

from playwright.sync_api import expect

from tests.e2e.pictures.camera import TELEPHONE, Camera
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

FAST = 20
ENOUGH = 400
PICTURES = (
    *("status-idle", "checklist", "status-ready"),
    *("status-running", "status-phone", "wall"),
    *("run-sheet", "run", "run-list", "plots"),
    *("setup", "setup-test", "easy-setup", "setup-preview", "status-trouble", "log", "events", "hand-over"),
)
RUNNING = re.compile(r"Run \d+ is running")
OBSERVABLES = {"Gas pressure": ("Torr", ("302", "301", "297")), "Cathode": ("kV", ("6.5", "6.5", "6.2"))}
TITLES = ("12Be on CO2, 3 enA", "12Be on CO2, 3 enA", "12Be on CO2, 10 enA")


def tell(camera: Camera, system: System) -> None:
    """Take every picture of PICTURES."""
    system.speed(FAST)
    camera.log_in("shifter")
    camera.take("status-idle")
    _begin_shift(camera)
    system.ready()
    camera.go("/")
    camera.desk.sees_title("Ready")
    camera.take("status-ready")
    for number, title in enumerate(TITLES, 1):
        _run(camera, system, number, title)
    _afterwards(camera)
    _trouble(camera, system)


def _begin_shift(camera: Camera) -> None:
    page = camera.page
    camera.go("/runs/observables/")
    for name, (unit, _) in OBSERVABLES.items():
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Unit", exact=True).fill(unit)
        page.get_by_label("Required", exact=True).check()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("main").get_by_text(name).first).to_be_visible()
    camera.go("/shifts/")
    page.get_by_label("Who is at the desk").fill("Ana, Ben")
    page.get_by_role("button", name="Begin the shift").click()
    expect(page.locator("#crew-on, #desk-shift").first).to_contain_text("Ana, Ben")
    camera.go("/shifts/checklist/")
    camera.take("checklist")


def _run(camera: Camera, system: System, number: int, title: str) -> None:
    camera.go("/")
    _ask(system, "start", title=title, run_class="production")
    camera.desk.sees_title(RUNNING)
    if number == 1:
        expect(camera.page.locator("#data-flow")).to_contain_text("11 of 11")
        wait_for(lambda: min(_events(system)) > ENOUGH, f"{ENOUGH} events of every board", 60)
        camera.take("status-running")
        camera.take("status-phone", TELEPHONE)
        camera.go("/wall/")
        camera.take("wall")
    system.do("stop", confirm=True)
    system.closed()
    _fill_sheet(camera, number)


def _ask(system: System, action: str, **wish: object) -> str:
    """Give a command as soon as it may be given: on a busy computer nodes answer late now and then."""
    wait_for(lambda: system.status()["actions"][action]["allowed"], f"{action} to be allowed", 60)
    return system.request(action, **wish)


def _events(system: System) -> list[int]:
    return [router["last_event"] or 0 for router in system.status()["data_routers"]]


def _fill_sheet(camera: Camera, number: int) -> None:
    page = camera.page
    camera.go(f"/runs/of/demo/{number}/")
    for name, (_, values) in OBSERVABLES.items():
        page.locator("#sheet").get_by_label(name).first.fill(values[number - 1])
    if number == 1:
        page.locator("#sheet-section").scroll_into_view_if_needed()
        camera.take("run-sheet")
    page.get_by_role("button", name="Save the run sheet").click()
    expect(page.get_by_role("status").get_by_text("saved").first).to_be_visible()


def _afterwards(camera: Camera) -> None:
    camera.go("/runs/of/demo/1/")
    camera.page.get_by_role("heading", name="Timeline").evaluate("heading => heading.scrollIntoView()")
    camera.take("run")
    camera.go("/runs/")
    camera.take("run-list")
    camera.go("/runs/plots/")
    chosen = camera.page.locator("#id_y1 option", has_text=next(iter(OBSERVABLES))).first.get_attribute("value")
    camera.page.locator("#id_y1").select_option(chosen)
    camera.page.get_by_role("button", name="Draw").click()
    expect(camera.page.locator(".plot-area, main svg").first).to_be_visible()
    camera.take("plots")
    _setup(camera)


def _setup(camera: Camera) -> None:
    page = camera.page
    camera.log_in("expert")
    camera.go("/setup/")
    camera.take("setup")
    page.locator('[form="tests"]').first.click()
    expect(page.locator('[data-test="done"]')).to_be_visible()
    page.locator('[data-test="done"]').scroll_into_view_if_needed()
    camera.take("setup-test")
    camera.go("/setup/easy")
    camera.take("easy-setup")
    page.get_by_label("Number of CoBos").fill("9")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    camera.take("setup-preview")


def _trouble(camera: Camera, system: System) -> None:
    camera.log_in("shifter")
    system.fault("ecc-cobo6", "wedge", operation="Breakup", times=1)
    system.finished(_ask(system, "go_idle"), 60)
    expect(camera.page.locator('[data-trouble="wedged"]')).to_be_visible()
    camera.take("status-trouble")
    camera.go("/logs/ecc/ecc-cobo6/")
    expect(camera.page.locator("#log-lines li").first).to_be_visible()
    camera.take("log")
    camera.go("/log/")
    camera.take("events")
    camera.go("/shifts/")
    camera.page.get_by_role("link", name="Hand-over").click()
    expect(camera.page.get_by_role("heading", name="For the next crew")).to_be_visible()
    camera.take("hand-over")
