"""Which dumps `deploy/backup.sh` takes for its own, for recent, and for too many."""

import os
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "deploy/backup.sh"
HOUR = 3600.0


def dump(directory: Path, hours_ago: float, name: str = "") -> str:
    moment = time.time() - hours_ago * HOUR
    path = directory / (name or time.strftime("attpcdaq-0.3.0-%Y%m%dT%H%M%SZ.dump", time.gmtime(moment)))
    path.write_text("a dump")
    os.utime(path, (moment, moment))
    return path.name


def tidy(directory: Path, keep: int) -> set[str]:
    environment = {**os.environ, "ATTPCDAQ_BACKUPS": str(directory), "ATTPCDAQ_BACKUP_KEEP": str(keep)}
    subprocess.run([PROGRAM, "tidy"], env=environment, check=True)
    return {path.name for path in directory.iterdir()}


def is_due(directory: Path) -> bool:
    ask = f'source <(sed -n "/^dumps()/,/^}}/p; /^is_due()/p" {PROGRAM}); at={directory} every=6; is_due'
    return subprocess.run(["bash", "-c", ask], check=False).returncode == 0


def test_the_newest_are_kept(tmp_path: Path) -> None:
    names = [dump(tmp_path, hours) for hours in (1, 7, 13)]
    assert tidy(tmp_path, 2) == set(names[:2])


@pytest.mark.parametrize("name", ["attpcdaq-before-the-move.dump", "golden.dump", "attpcdaq-0.3.0.dump", "notes.txt"])
def test_what_it_did_not_make_is_left_alone(tmp_path: Path, name: str) -> None:
    foreign = dump(tmp_path, 1000, name)
    newest = dump(tmp_path, 1)
    assert tidy(tmp_path, 1) == {foreign, newest}


def test_the_last_one_is_kept_although_a_clock_that_was_ahead_made_another(tmp_path: Path) -> None:
    of_the_future, newest = dump(tmp_path, -9000), dump(tmp_path, 0.01)
    dump(tmp_path, 6)
    assert tidy(tmp_path, 1) == {of_the_future, newest}


@pytest.mark.parametrize(("hours_ago", "due"), [([], True), ([7], True), ([5], False), ([7, -9000], True)])
def test_one_is_due_when_none_is_recent_and_a_clock_that_was_ahead_is_no_excuse(
    tmp_path: Path, hours_ago: list[float], due: bool
) -> None:
    for hours in hours_ago:
        dump(tmp_path, hours)
    assert is_due(tmp_path) is due


def test_half_a_dump_of_one_who_was_killed_is_deleted_after_a_day(tmp_path: Path) -> None:
    dump(tmp_path, 25, ".attpcdaq-0.3.0-20260101T000000Z.dump.part")
    at_work = dump(tmp_path, 1, ".attpcdaq-0.3.0-20260102T000000Z.dump.part")
    assert tidy(tmp_path, 5) == {at_work}
