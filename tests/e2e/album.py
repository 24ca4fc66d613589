"""`python -m tests.e2e.album FOLDER`: every page, from a demo, in both themes, at a desk and on a telephone."""

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attpcdaq.config.settings")
os.environ.setdefault("ATTPCDAQ_SECRET_KEY", "only to read the addresses of the pages")
os.environ.setdefault("ATTPCDAQ_DATABASE_URL", "sqlite:////nonexistent/none.sqlite3")
os.environ.setdefault("ATTPCDAQ_BROKER_URL", f"filesystem://{tempfile.gettempdir()}")

import django
from playwright.sync_api import BrowserContext, sync_playwright

from tests.e2e.demos import Demo, running_demo
from tests.e2e.every_page import addresses, furnish, is_page
from tests.e2e.pages import DESKTOP, PHONE, Shifter
from tests.e2e.waiting import wait_for
from tests.services.chromium import launch_options

SIZES = {"desktop": DESKTOP, "phone": PHONE}
THEMES = ("light", "dark")


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m tests.e2e.album FOLDER\n")
        return 2
    django.setup()
    pages = addresses()
    album = Path(sys.argv[1])
    album.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="attpcdaq-album-") as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        with running_demo(Path(directory) / "data", Path(directory)) as demo:
            furnish(demo.system())
            context = browser.new_context(viewport=DESKTOP)
            Shifter(context.new_page(), demo).log_in("admin")
            taken = sum(shoot(context, demo, address, album) for address in pages)
            taken += _with_a_run(context, demo, album)
        browser.close()
    sys.stdout.write(f"{taken} pictures in {album}\n")
    return 0


def _with_a_run(context: BrowserContext, demo: Demo, album: Path) -> int:
    system = demo.system()
    system.do("start", title="16O on alpha, 400 Torr", run_class="production")
    taken = sum(shoot(context, demo, address, album, "-running") for address in ("/", "/wall/", "/runs/"))
    system.fault("router-cobo5", "silent")
    wait_for(lambda: system.status()["overall"]["level"] == "bad", "the page to say so", 30.0)
    taken += sum(shoot(context, demo, address, album, "-trouble") for address in ("/", "/wall/"))
    system.clear_faults()
    system.do("stop")
    return taken


def shoot(context: BrowserContext, demo: Demo, address: str, album: Path, suffix: str = "") -> int:
    """A picture of the whole page for each theme and size; none where there is no page."""
    url = f"http://127.0.0.1:{demo.port}{address}"
    if not is_page(context, url):
        return 0
    page = context.new_page()
    page.goto(url)
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            page.screenshot(path=album / f"{_name(address)}{suffix}-{theme}-{size}.png", full_page=True)
    page.close()
    return len(THEMES) * len(SIZES)


def _name(address: str) -> str:
    parts = urlsplit(address)
    words = [part for part in parts.path.split("/") if part] + ([parts.query] if parts.query else [])
    return "-".join(words) or "status"


if __name__ == "__main__":
    sys.exit(main())
