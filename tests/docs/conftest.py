"""The manual, built once from nothing for these tests."""

from pathlib import Path

import pytest

from tests.docs.building import Manual, build


@pytest.fixture(scope="session")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Manual:
    """Built as `make check` does it: a warning is an error."""
    directory: Path = tmp_path_factory.mktemp("manual")
    done = build(directory / "written", directory / "read", "-W", "-n", "--keep-going")
    assert (done.returncode, done.stderr) == (0, "")
    return Manual(directory / "written")
