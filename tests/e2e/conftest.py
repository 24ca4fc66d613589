"""Fixtures of the whole-system tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.demos import Demo, running_demo
from tests.e2e.system import System

FAST = 20.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of its own for each file of tests."""
    directory = tmp_path_factory.mktemp("demo")
    with running_demo(directory / "data", directory) as demo:
        yield demo


@pytest.fixture
def system(demo: Demo) -> System:
    """The demo through its API, with hardware that takes a twentieth of its time."""
    system = demo.system()
    system.speed(FAST)
    return system
