"""Fixtures of the run control tests."""

import pytest

from tests.runcontrol.rig import Rig, make_rig


@pytest.fixture
def rig(db: None) -> Rig:
    return make_rig()
