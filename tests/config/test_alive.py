"""The health check of a process that serves nobody: the age of the file that it touches."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attpcdaq.config.alive import main


def test_young_old_and_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "alive"
    assert main([str(file), "15"], 1000) == 1
    assert "has not said yet" in capsys.readouterr().out
    file.touch()
    os.utime(file, (990, 990))
    assert main([str(file), "15"], 1000) == 0
    assert main([str(file), "5"], 1000) == 1
    assert "touched 10 s ago, and 5 s are allowed" in capsys.readouterr().out.splitlines()[-1]
    assert main([str(file), "15"], 900) == 1


@pytest.mark.parametrize("words", [[], ["file"], ["file", "soon"]])
def test_wrong_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, 0) == 2
    assert "usage" in capsys.readouterr().out


def test_as_a_command_it_loads_nothing_but_itself(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    file.touch()
    code = "import sys; from attpcdaq.config.alive import main; print('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    command = [sys.executable, "-m", "attpcdaq.config.alive", str(file), "60"]
    assert subprocess.run(command, capture_output=True).returncode == 0
