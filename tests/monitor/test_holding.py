"""What a monitor process has of the lease, and how it knows that another one has ended."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, transaction

from attpcdaq.live import lease, store
from attpcdaq.live.models import Event, MonitorLease
from attpcdaq.monitor.holding import Holding
from attpcdaq.monitor.signs_of_life import SignsOfLife, file_for

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIVE = """
import sys
from pathlib import Path
from attpcdaq.monitor.signs_of_life import SignsOfLife
signs = SignsOfLife(Path(sys.argv[1]))
print(signs.show("a0" * 16), flush=True)
sys.stdin.read()
"""


@contextmanager
def other_process(path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that shows in the file that it lives, and the name by which it does."""
    command = [sys.executable, "-c", LIVE, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


class TestSignsOfLife:
    def test_one_that_lives_is_not_taken_for_dead_even_when_it_stands_still(self, tmp_path: Path) -> None:
        with other_process(tmp_path / "signs") as (process, name):
            signs = SignsOfLife(tmp_path / "signs")
            assert not signs.has_ended(name)
            os.kill(process.pid, signal.SIGSTOP)
            assert not signs.has_ended(name)

    def test_one_that_was_killed_is_known_to_be_dead(self, tmp_path: Path) -> None:
        with other_process(tmp_path / "signs") as (process, name):
            process.kill()
            process.wait()
            signs = SignsOfLife(tmp_path / "signs")
            assert [signs.has_ended(name), signs.has_ended(name)] == [True, True]

    def test_of_who_shows_it_elsewhere_nothing_is_known(self, tmp_path: Path) -> None:
        """Another computer, or a container, of the same name."""
        with other_process(tmp_path / "theirs") as (process, name):
            process.kill()
            process.wait()
            assert not SignsOfLife(tmp_path / "signs").has_ended(name)
            assert not SignsOfLife(tmp_path / "signs").has_ended("")

    def test_several_live_beside_each_other(self, tmp_path: Path) -> None:
        with other_process(tmp_path / "signs") as (_, name):
            signs = SignsOfLife(tmp_path / "signs")
            assert signs.show("b1" * 16) != name
            assert not signs.has_ended(name)

    def test_a_file_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            SignsOfLife(tmp_path / "missing" / "signs")

    def test_monitors_of_one_database_meet(self) -> None:
        daq = {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": "5432", "NAME": "daq"}
        assert file_for("daq1", daq) == file_for("daq1", dict(daq))
        others = [file_for("daq1", daq | other) for other in ({"HOST": "x"}, {"PORT": "1"}, {"NAME": "x"})]
        assert len({file_for("daq1", daq), file_for("daq2", daq), *others}) == 5
        demo = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/data/db.sqlite3"}
        assert file_for("daq1", demo) == Path("/data/db.sqlite3.monitor")


@pytest.fixture
def signs(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which monitors of this database show that they live."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return file_for(os.uname().nodename, connection.settings_dict)


def test_from_a_dead_one_on_the_same_host_it_is_taken_at_once(signs: Path) -> None:
    with other_process(signs) as (process, name):
        assert lease.take(name, "here") is not None
        holding = Holding()
        assert not holding.ask()
        process.kill()
        process.wait()
        assert holding.ask()
    assert holding.term is not None
    assert holding.term.number == 2


def test_one_that_stands_by_asks_in_vain_and_sweeps_nothing(signs: Path) -> None:
    lease.take("another", "elsewhere")
    holding, swept = Holding(), []
    assert not holding.ask()
    holding.gated(swept.append)(NOON)
    assert swept == []
    MonitorLease.objects.update(holder="")
    assert holding.ask()
    holding.gated(swept.append)(NOON)
    assert swept == [NOON]


def test_a_sweep_writes_nothing_once_the_lease_is_lost(signs: Path) -> None:
    holding = Holding()
    assert holding.ask()
    MonitorLease.objects.update(holder="another", term=2)

    def sweep(now: datetime) -> None:
        with transaction.atomic():
            store.add_event("ecc", at=now)

    holding.gated(sweep)(NOON)
    assert not Event.objects.exists()


def test_at_a_clean_end_it_is_given_back(signs: Path) -> None:
    holding = Holding()
    assert holding.ask()
    assert lease.take("another", "elsewhere") is None
    holding.give_back()
    assert holding.term is None
    assert lease.take("another", "elsewhere") is not None
    holding.give_back()
    assert not holding.ask(), "what is not ours is not given back"


def test_without_signs_of_life_it_is_taken_all_the_same(
    db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "missing" / "db"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    holding = Holding()
    assert "has to wait" in caplog.text
    assert holding.ask()
