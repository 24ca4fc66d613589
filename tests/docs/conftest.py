"""The manual, built once from nothing for these tests."""

from pathlib import Path

import pytest

from tests.docs.building import Manual, build


@pytest.fixture(scope="session")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Manual:
    """With what Sphinx complains of: `make check` takes it for an error."""
    directory: Path = tmp_path_factory.mktemp("manual")
    done = build(directory / "written", directory / "read", "-n", "--keep-going")
    assert done.returncode == 0, done.stderr
    return Manual(directory / "written", done.stderr)
