"""python -m tests.e2e.walk [FOLDER [SCENE ...]]: walks, and writes walk.md and pictures (to walk/)."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.chaos.real_parts import running_real
from tests.e2e.pages import DESKTOP
from tests.e2e.waiting import wait_for
from tests.e2e.walk.scenes import SCENES
from tests.e2e.walk.walker import Seen, Told, Walker
from tests.services.chromium import launch_options

FOLDER = Path(__file__).resolve().parents[3] / "walk"
HEAD = """# What the shifter reads when something breaks

Written by `python -m tests.e2e.walk`, which breaks a whole system (real database, broker, web server and workers,
simulated detector) and presses the buttons of the page in a browser. Everything quoted is what the page said. Beside
each look are the names of its pictures (the first screen of a desk's display and of a telephone), which that command
writes to `walk/` and which are not kept in the repository.
"""


def main(folder: Path, chosen: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="attpcdaq-walk-") as directory, running_real(Path(directory)) as real:
        wait_for(lambda: real.system.all_in("idle"), "the monitor to see every server", 60)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            page = browser.new_context(viewport=DESKTOP).new_page()
            walker = Walker(page, real, folder)
            walker.desk.log_in("expert")
            walker.desk.take_control()
            for scene in (scene for scene in SCENES if not chosen or scene.__name__ in chosen):
                try:
                    scene(walker)
                except AssertionError:
                    page.screenshot(path=folder / "stuck.png", full_page=True)
                    raise
                print(f"walked: {walker.told[-1].title}", flush=True)
            browser.close()
    text = "\n".join([HEAD, *(_scene(number, told) for number, told in enumerate(walker.told, 1))])
    (folder / "walk.md").write_text(text)


def _scene(number: int, told: Told) -> str:
    parts = (_seen(part) if isinstance(part, Seen) else part for part in told.story)
    return "\n\n".join([f"## {number}. {told.title}", *parts]) + "\n"


def _seen(seen: Seen) -> str:
    lines = [f"> **{seen.title}**", *(f"> - {reason}" for reason in seen.reasons)]
    lines += [">", f"> {seen.advice}"] if seen.advice else []
    for card in seen.cards:
        lines += [">", f"> **{card[0]}**", *(f"> - {line}" for line in card[1:])]
    lines += [">", f"> Message: {seen.message}"] if seen.message else []
    return "\n".join([f"{seen.caption} (`{seen.picture}-desk.png`, `{seen.picture}-phone.png`)", "", *lines])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, sys.argv[2:])
