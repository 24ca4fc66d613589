"""The watchdog ends what it was told of when its input closes, and nothing else."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from attpcdaq.demo.supervisor import WATCHDOG

PATIENT = "import signal, time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def watchdog() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-I", "-S", WATCHDOG], stdin=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def sleeper(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_it_ends_the_groups_it_knows_and_leaves_those_it_forgot(watchdog: subprocess.Popen[str]) -> None:
    known, stubborn, forgotten = sleeper(PATIENT), sleeper(STUBBORN), sleeper(PATIENT)
    told = f"+{known.pid}\n+{forgotten.pid}\n+{stubborn.pid}\n-{forgotten.pid}\n"
    watchdog.communicate(told, timeout=20)
    assert known.wait(10) == -signal.SIGTERM
    assert stubborn.wait(10) == -signal.SIGKILL
    assert forgotten.poll() is None
    forgotten.kill()
    for process in (known, stubborn, forgotten):
        process.communicate()
