"""Two `manage.py monitor` before one detector and one PostgreSQL, which itself notes who writes in which term."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pytest

from tests.monitor.running import Site, end, site, until
from tests.services.postgresql import PostgreSQL
from tests.services.processes import Process

TAKEN_WITHIN = 10.0
# It promises 1 s at most where it is certain that the other has ended; the machine may be busy with other tests.
AT_ONCE = 3.0
FIRST, SECOND = "first", "second"
LOST = "another monitor writes now"
NOTE_WRITERS = """
CREATE TABLE writers (id bigserial PRIMARY KEY, name text, term bigint);
CREATE FUNCTION note_writer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO writers (name, term) SELECT current_setting('application_name'), term FROM live_monitorlease;
    RETURN NULL;
END $$;
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('writers', 'live_servicebeat')
    LOOP EXECUTE format('CREATE TRIGGER note_writer AFTER INSERT OR UPDATE OR DELETE ON %I
        FOR EACH ROW EXECUTE FUNCTION note_writer()', t);
    END LOOP;
END $$;
"""
FREEZE_IN_A_TRANSACTION = """
import os, signal, sys, time, django
django.setup()
from pathlib import Path
from django.db import transaction
from django.utils import timezone
from attpcdaq.live import lease, store
from attpcdaq.monitor.holding import Holding, end_frozen_transactions
end_frozen_transactions()
holding = Holding()
assert holding.ask()
while not Path(sys.argv[1]).exists():
    lease.renew(holding.term, timezone.now())
    time.sleep(0.1)
try:
    with lease.fenced(holding.term), transaction.atomic():
        store.add_event("ecc", "frozen", at=timezone.now())
        os.kill(os.getpid(), signal.SIGSTOP)
        store.add_event("ecc", "thawed", at=timezone.now())
except Exception as error:  # whatever refused it is the answer
    print("refused:", error, flush=True)
"""
pytestmark = pytest.mark.e2e


class Pair:
    """Two monitors as on two hosts (or on one: `together`), and the database's own notes of who wrote."""

    def __init__(self, place: Site, eyes: psycopg.Connection[Any]) -> None:
        self.place, self._eyes = place, eyes
        self.monitors: dict[str, Process] = {}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._eyes.execute(query.encode()).fetchall()

    def noted(self) -> int:
        return int(self.ask("SELECT coalesce(max(id), 0) FROM writers")[0][0])

    def has_written(self, name: str, since: int) -> bool:
        return bool(self.ask(f"SELECT 1 FROM writers WHERE id > {since} AND name = '{name}' LIMIT 1"))

    def wait_until_it_reads(self, name: str) -> None:
        since = self.noted()
        self.monitors[name].wait_until(lambda: self.has_written(name, since), 60)

    def wait_until_it_stands_by(self, name: str) -> None:
        self.monitors[name].wait_until(lambda: self.monitors[name].says("monitor: standing by"), 60)

    def thaw_until_it_has_heard(self, name: str) -> None:
        """Until it knows that it lost the lease."""
        log = self.monitors[name].log
        before = log.read_text().count(LOST)
        self.monitors[name].thaw()
        until(lambda: log.read_text().count(LOST) > before)

    def takes_over(self, name: str, other: Callable[[], object]) -> float:
        """Seconds from what happened to the other until this one wrote."""
        since = self.noted()
        began = time.monotonic()
        other()
        until(lambda: self.has_written(name, since), 30)
        return time.monotonic() - began

    def writers_of_terms(self) -> dict[int, list[str]]:
        return dict(self.ask("SELECT term, array_agg(DISTINCT name) FROM writers GROUP BY 1"))

    def check(self) -> None:
        """Every term had one writer, and none wrote after a later one had begun."""
        assert all(len(names) == 1 for names in self.writers_of_terms().values()), self.writers_of_terms()
        terms = [term for (term,) in self.ask("SELECT term FROM writers ORDER BY id")]
        assert terms == sorted(terms)


@contextmanager
def pair(postgresql: PostgreSQL, directory: Path, name: str, *, together: bool = False) -> Iterator[Pair]:
    """The first writes, the second stands by."""
    url = postgresql.create_database(name)
    with site(directory, database_url=url) as place, psycopg.connect(url, autocommit=True) as eyes, ExitStack() as ends:
        eyes.execute(NOTE_WRITERS)
        made = Pair(place, eyes)
        for number, who in enumerate((FIRST, SECOND)):
            scratch = directory / ("tmp" if together else f"tmp-{who}")
            scratch.mkdir(exist_ok=True)
            made.monitors[who] = ends.enter_context(place.monitor(who, PGAPPNAME=who, TMPDIR=str(scratch)))
            (made.wait_until_it_stands_by if number else made.wait_until_it_reads)(who)
        yield made


@pytest.fixture
def apart(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Pair]:
    with pair(postgresql, tmp_path, f"apart{os.urandom(4).hex()}") as made:
        yield made
        made.check()


@pytest.fixture
def together(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Pair]:
    with pair(postgresql, tmp_path, f"together{os.urandom(4).hex()}", together=True) as made:
        yield made
        made.check()


def test_one_that_stands_by_reads_and_writes_nothing(apart: Pair) -> None:
    since = apart.noted()
    until(lambda: apart.noted() > since + 20)
    assert not apart.has_written(SECOND, 0)
    assert apart.ask("SELECT term FROM live_monitorlease") == [(1,)]
    connected = apart.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'second'")
    assert connected[0][0] >= 1, "it asks for the lease"
    assert "reading" not in apart.monitors[SECOND].log.read_text()


def test_of_one_that_is_killed_the_other_takes_over_within_10_s(apart: Pair) -> None:
    times, writing, waiting = [], FIRST, SECOND
    for _ in range(5):
        times.append(apart.takes_over(waiting, apart.monitors[writing].kill))
        apart.monitors[writing].start()
        apart.wait_until_it_stands_by(writing)
        writing, waiting = waiting, writing
    print(f"killed: the other writes after {median(times):.1f} s (worst {max(times):.1f} s)")
    assert max(times) < TAKEN_WITHIN, times


def test_of_one_that_stands_still_it_takes_over_and_what_comes_back_writes_no_more(apart: Pair) -> None:
    times, writing, waiting = [], FIRST, SECOND
    for seed in range(3):
        time.sleep(random.Random(seed).random())  # a random moment of its work
        times.append(apart.takes_over(waiting, apart.monitors[writing].freeze))
        since = apart.noted()
        apart.thaw_until_it_has_heard(writing)
        until(lambda since=since: apart.noted() > since + 20)
        assert not apart.has_written(writing, since)
        writing, waiting = waiting, writing
    print(f"standing still: the other writes after {median(times):.1f} s (worst {max(times):.1f} s)")
    assert max(times) < TAKEN_WITHIN, times


def test_after_a_clean_end_the_other_writes_at_once(apart: Pair) -> None:
    assert apart.takes_over(SECOND, lambda: end(apart.monitors[FIRST], signal.SIGTERM)) < AT_ONCE


def test_on_one_host_it_does_not_wait_for_one_that_was_killed(together: Pair) -> None:
    assert together.takes_over(SECOND, together.monitors[FIRST].kill) < AT_ONCE


def test_one_that_is_frozen_in_a_transaction_keeps_nobody_from_it(apart: Pair, tmp_path: Path) -> None:
    """Its lock on the lease goes with the transaction, which the server ends."""
    for monitor in apart.monitors.values():
        end(monitor, signal.SIGTERM)
    sign = tmp_path / "now"
    with apart.place.script(FREEZE_IN_A_TRANSACTION, str(sign), PGAPPNAME=FIRST) as frozen:
        until(lambda: apart.ask("SELECT 1 FROM live_monitorlease WHERE holder <> ''"))
        apart.monitors[SECOND].start()
        apart.wait_until_it_stands_by(SECOND)
        assert apart.takes_over(SECOND, sign.touch) < TAKEN_WITHIN
        frozen.thaw()
        until(lambda: frozen.says("refused:"))
    assert apart.ask("SELECT 1 FROM live_event WHERE text IN ('frozen', 'thawed')") == []
