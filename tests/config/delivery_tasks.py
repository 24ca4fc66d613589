"""What the product's workers do in a test, as they are configured: each task notes who began it, and who ended it."""

import os
import time
from pathlib import Path

from celery import shared_task

GIVES_UP_AFTER = 120.0


@shared_task
def work(directory: str, name: str) -> None:
    """Begin, wait until the directory holds a file `go`, end."""
    place = Path(directory)
    (place / "begun" / f"{name}.{os.environ['WORKER']}").touch()
    deadline = time.monotonic() + GIVES_UP_AFTER
    while not (place / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.05)  # between two looks
    (place / "ended" / f"{name}.{os.environ['WORKER']}").touch()
