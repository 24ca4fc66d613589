"""The node program as one file that Python runs: a zip archive of it and of the scanner."""

import hashlib
import io
import zipfile
from functools import cache
from importlib.resources import files
from typing import NamedTuple

SOURCES = {
    "__main__.py": ("attpcdaq.gateways", "node_program.py"),
    "get_protocol/__init__.py": ("get_protocol", "__init__.py"),
    "get_protocol/graw_scan.py": ("get_protocol", "graw_scan.py"),
    "get_protocol/graw_summary.py": ("get_protocol", "graw_summary.py"),
}
"""Name in the archive: package and file."""


class ProgramFile(NamedTuple):
    """`name` tells versions apart."""

    name: str
    data: bytes


@cache
def program_file() -> ProgramFile:
    """The same bytes whenever the sources are the same."""
    space = io.BytesIO()
    with zipfile.ZipFile(space, "w") as archive:
        for name, (package, source) in SOURCES.items():
            # Not compressed: a node's Python may lack zlib.
            archive.writestr(zipfile.ZipInfo(name), (files(package) / source).read_bytes())
    data = space.getvalue()
    return ProgramFile(f"graw-{hashlib.sha256(data).hexdigest()[:16]}.pyz", data)
