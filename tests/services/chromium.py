"""Which Chromium the browser tests use, and how it is started."""

from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/bin/chromium")
# No sandbox: it refuses to run as root. The rest keeps it from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def launch_options() -> dict[str, Any]:
    """Debian's Chromium; where there is none (Ubuntu has no such package), the one of `playwright install chromium`."""
    executable = {"executable_path": str(DEBIAN)} if DEBIAN.exists() else {}
    return {"headless": True, "args": FLAGS, **executable}
