"""python -m tests.e2e.pictures FOLDER: takes the manual's pictures (make pictures)."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.demos import running_demo
from tests.e2e.pictures.camera import Camera
from tests.e2e.pictures.story import tell
from tests.services.chromium import launch_options


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="attpcdaq-pictures-") as directory:
        place = Path(directory)
        with running_demo(place / "data", place) as demo, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            camera = Camera(browser, demo, folder)
            tell(camera, demo.system())
            browser.close()
    print(f"{len(camera.taken)} pictures in {folder}: {', '.join(camera.taken)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
