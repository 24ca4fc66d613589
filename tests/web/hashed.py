"""Static files as nginx has them, made by the command that an image and an update use."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def manage_files(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`manage.py WORDS` with these settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTPCDAQ_")}
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(
        command, env={**environment, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


def collect_static(directory: Path) -> Path:
    """`directory`, with every static file in it."""
    done = manage_files("collectstatic", "--no-input", ATTPCDAQ_STATIC_ROOT=str(directory))
    assert done.returncode == 0, done.stderr
    return directory


def hash_names(settings: Any, directory: Path) -> None:
    """Pages link to the files there (`settings`: pytest-django's)."""
    settings.STATIC_ROOT = directory
    hashed = {"BACKEND": "attpcdaq.web.static_files.HashedFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
