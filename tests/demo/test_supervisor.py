"""What ends by itself again and again ends the demo; what is killed from outside is started again, however often."""

import subprocess
import sys
from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from attpcdaq.demo.supervisor import Program, Supervisor

place = Path(sys.argv[1])
supervisor = Supervisor(place)
# Lives until it is killed.
supervisor.start(Program("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {}, place / "log"))
for _ in range(6):
    before = supervisor.pid("sleeper")
    os.kill(before, signal.SIGKILL)
    supervisor.wait_until(lambda: supervisor.pid("sleeper") != before, 10, "another one")
supervisor.stop_all(last="sleeper")
"""
FAILING = """
import sys
from pathlib import Path
from attpcdaq.demo.place import DemoError
from attpcdaq.demo.supervisor import Program, Supervisor

place = Path(sys.argv[1])
supervisor = Supervisor(place)
command = [sys.executable, "-c", "import sys; sys.exit('no such setting')"]
supervisor.start(Program("failing", command, {}, place / "log"))
try:
    supervisor.wait_until(lambda: False, 30, "nothing")
except DemoError as error:
    print(error)
supervisor.stop_all(last="failing")
"""


def run(script: str, place: Path) -> tuple[str, str]:
    """What the script says; in a process of its own, because a supervisor takes the signals of its process."""
    told = subprocess.run(
        [sys.executable, "-c", script, str(place)], capture_output=True, text=True, timeout=60, check=True
    )
    return told.stdout, told.stderr


def test_what_is_killed_is_started_again_however_often(tmp_path: Path) -> None:
    _, complaints = run(KILLED, tmp_path)
    assert complaints.count("sleeper ended unexpectedly (status -9) and is started again") == 6


def test_what_ends_by_itself_again_and_again_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    said, complaints = run(FAILING, tmp_path)
    assert "failing ended unexpectedly (status 1) again and again" in said
    assert "no such setting" in said
    assert complaints.count("is started again") == 3
