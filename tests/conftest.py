"""What every test may use; the programs of tests/services are in its plugin."""

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.services.chromium import launch_options

# Milliseconds for what a page shows by itself: twice what is promised, for other tests run on the same machine.
SHOWN_WITHIN = 10_000


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """How pytest-playwright starts Chromium.

    Its loop makes Django believe that a browser test is asynchronous code; these tests run last (plugin.py).
    """
    expect.set_options(timeout=SHOWN_WITHIN)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return launch_options()
