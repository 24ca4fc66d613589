"""Fixtures of the run control tests."""

import pytest

from tests.runcontrol.rig import Rig, make_rig


@pytest.fixture
def rig(db: None) -> Rig:
    return make_rig()


@pytest.fixture
def ready(rig: Rig) -> Rig:
    """All boards Ready."""
    rig.make_ready()
    return rig


@pytest.fixture
def running(ready: Rig) -> Rig:
    """Run 1 is running."""
    assert ready.do("start").state == "done"
    return ready


@pytest.fixture
def hurry(rig: Rig) -> None:
    """A minute's wait is over in a moment."""
    rig.time.factor = 1000.0
