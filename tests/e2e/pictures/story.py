"""What is brought about for the pictures, in an order in which each follows from the one before."""

import re

from playwright.sync_api import expect

from tests.e2e.pictures.camera import TELEPHONE, Camera
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

FAST = 20
PICTURES = (
    *("status-idle", "status-ready", "status-running", "status-phone"),
    *("run", "run-list", "easy-setup", "status-trouble"),
)
RUNNING = re.compile(r"Run \d+ is running")


def tell(camera: Camera, system: System) -> None:
    """Take every picture of PICTURES."""
    system.speed(FAST)
    camera.desk.log_in("expert")
    camera.take("status-idle")
    system.ready()
    camera.desk.sees_title("Ready")
    camera.take("status-ready")
    _run(camera, system)
    _afterwards(camera)
    _trouble(camera, system)


def _run(camera: Camera, system: System) -> None:
    system.request("start", title="12Be on CO2, 3 enA", run_class="production")
    camera.desk.sees_title(RUNNING)
    wait_for(lambda: all(router["rate"] for router in system.status()["data_routers"]), "data from every board", 60)
    camera.take("status-running")
    camera.take("status-phone", TELEPHONE)
    system.do("stop", confirm=True)
    system.closed()


def _afterwards(camera: Camera) -> None:
    camera.go("/runs/of/demo/1/")
    camera.take("run")
    camera.go("/runs/")
    camera.take("run-list")
    camera.go("/setup/easy")
    camera.take("easy-setup")


def _trouble(camera: Camera, system: System) -> None:
    system.fault("ecc-cobo6", "wedge", operation="Breakup", times=1)
    camera.desk.go("/")
    system.finished(system.request("go_idle"))
    expect(camera.page.locator('[data-trouble="wedged"]')).to_be_visible()
    camera.take("status-trouble")
