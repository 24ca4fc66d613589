"""A compressed twin beside each text file that is served: nginx sends that one."""

import gzip
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

TEXTS = {".html", ".css", ".js", ".svg", ".toml"}


def compress(app: Sphinx, exception: Exception | None) -> None:
    """Make those that are missing or older than their file."""
    if exception is None:
        for path in (path for path in Path(app.outdir).rglob("*") if path.suffix in TEXTS):
            twin = path.with_name(f"{path.name}.gz")
            if not twin.exists() or twin.stat().st_mtime_ns < path.stat().st_mtime_ns:
                twin.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", compress)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
