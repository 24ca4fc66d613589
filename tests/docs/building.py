"""The manual as tests see it: built from nothing and strictly, or where the pages serve it from."""

import fcntl
import subprocess
import sys
from pathlib import Path

from lxml import html

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SERVED = ROOT / "build" / "help"
WITHIN = 170


def build(into: Path, read: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run Sphinx; what it complains of is in stderr."""
    command = [sys.executable, "-m", "sphinx", "-q", *options, "-b", "dirhtml", "-d", str(read), str(DOCS), str(into)]
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)


def build_served() -> Path:
    """As `make manual` leaves it; only what changed is done, by one process at a time."""
    SERVED.parent.mkdir(exist_ok=True)
    with (SERVED.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = build(SERVED, SERVED.parent / "doctrees")
    assert done.returncode == 0, done.stderr
    return SERVED


def sources() -> list[str]:
    """Every page by its name: its path below docs/ without the ending."""
    found = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return sorted(path.with_suffix("").as_posix() for path in found if not path.parts[0].startswith("_"))


class Manual:
    """Built pages by their addresses below /help/."""

    def __init__(self, root: Path, complaints: str = "") -> None:
        self.root, self.complaints = root, complaints
        files = sorted(root.rglob("index.html"))
        self.pages = {self._address(path): html.fromstring(path.read_bytes()) for path in files}

    def _address(self, path: Path) -> str:
        folder = path.parent.relative_to(self.root).as_posix()
        return "" if folder == "." else f"{folder}/"

    def has(self, address: str) -> bool:
        """Whether a browser finds it: `troubles/#busy`, `_static/daq.css`."""
        path, _, fragment = address.partition("#")
        path = path.partition("?")[0]
        if path not in self.pages:
            return (self.root / path).is_file() and not fragment
        return not fragment or self.element(address) is not None

    def element(self, address: str) -> html.HtmlElement | None:
        path, _, fragment = address.partition("#")
        found = self.pages[path].xpath("//*[@id=$name]", name=fragment) if path in self.pages else []
        return found[0] if found else None

    def heading_at(self, address: str) -> str:
        """The words of the heading that a link to there shows first."""
        element = self.element(address)
        assert element is not None, address
        section = element if element.tag == "section" else element.getparent()
        (heading,) = section.xpath("./*[self::h1 or self::h2 or self::h3 or self::h4]")
        return str(heading.text_content()).removesuffix("#")
