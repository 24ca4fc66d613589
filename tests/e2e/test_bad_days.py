"""Bad days of the system itself, with the real things: each says plainly what it is, and nothing is lost."""

import os
import subprocess
import uuid
from contextlib import ExitStack
from pathlib import Path

import psycopg

from attpcdaq.demo.programs import ROOT
from tests.e2e.bad_days import Ship, ship
from tests.e2e.waiting import wait_for
from tests.services.postgresql import FAST, SURVIVING, PostgreSQL, running_postgresql
from tests.services.processes import LOOPBACK, find_program, listens
from tests.services.rabbitmq import running_rabbitmq
from tests.services.small_disk import small_disk

# A kilobyte of log for each change fits into what is there; one segment more would not.
SMALL = [*SURVIVING, "min_wal_size=32MB", "max_wal_size=32MB", "autovacuum=off"]
# Nobody gave that command, and that is an error of whoever sent the message.
A_TASK_FOR_EACH_QUEUE = """
from attpcdaq.runcontrol import tasks
tasks.set_aside.apply_async()
tasks.run_command.apply_async(args=["no command"])
"""


def is_well(running: Ship, *names: str) -> bool:
    found = running.checks()
    return all(found.get(name) == "ok" for name in names)


def test_processes_start_in_any_order(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_database(f"bad{uuid.uuid4().hex}")
    alive = tmp_path / "alive"
    with ship(tmp_path / "ship", url, ATTPCDAQ_ALIVE_FILE=str(alive)) as running:
        monitor, worker, leaving = (running.start(name) for name in ("monitor", "celery", "celery-files"))
        for process in (monitor, worker, leaving):
            process.wait_until(lambda each=process: each.says("waiting: The database has no tables yet"), 20)
        leaving.stop()  # who waits can be ended
        code, answer = running.system.api("GET", "/status")
        assert (code, answer["detail"]) == (503, "The database has no tables yet: run manage.py migrate.")
        assert running.checks()["migrations"].startswith("fail: The database has no tables yet")
        wait_for(alive.exists, "a sign of life without a database")
        running.migrate()
        wait_for(
            lambda: is_well(running, "database", "migrations", "broker", "worker control", "monitor"), "all to come"
        )
        assert running.page()[0] == 200
        for process in (monitor, worker):
            assert process.log.read_text().count("waiting:") == 1
            assert process.says("going on")


def test_the_database_goes_away_and_comes_back(tmp_path: Path) -> None:
    with running_postgresql(SURVIVING) as server, ship(tmp_path, server.create_database("daq")) as running:
        running.migrate()
        assert running.take("take")[0] == 200
        assert running.page()[0] == 200
        monitor = running.start("monitor")
        wait_for(lambda: is_well(running, "monitor"), "the monitor")
        server.process.kill()
        _, text = wait_for(lambda: (found := running.page())[0] == 503 and found, "the plain page")
        assert "The database does not answer" in text
        assert "Traceback" not in text
        code, answer = running.system.api("GET", "/status")
        assert (code, answer["detail"]) == (503, "The database does not answer.")
        assert running.checks()["database"] == "fail: The database does not answer."
        monitor.wait_until(lambda: monitor.says("reading goes on"), 20)
        server.process.start()
        server.process.wait_until(server.answers, 20)
        wait_for(lambda: running.page()[0] == 200, "the page to come back")
        monitor.wait_until(lambda: monitor.says("the database is back"), 20)
        wait_for(lambda: is_well(running, "database", "monitor"), "the monitor to write again")
        assert running.system.api("GET", "/control")[1]["holder"] == "shifter"
        log = running.stack.processes["web"].log.read_text()
        assert "Traceback" not in log


def test_a_password_that_is_wrong_from_one_moment_to_the_next(tmp_path: Path) -> None:
    rules = tmp_path / "pg_hba.conf"
    rules.write_text("host all attpcdaq all trust\nhost all daq all scram-sha-256\n")
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:2]:
        above.chmod(0o755)
    with ExitStack() as stack:
        server = stack.enter_context(running_postgresql([*FAST, f"hba_file={rules}"]))
        with psycopg.connect(server.url(), autocommit=True) as root:
            root.execute("CREATE ROLE daq LOGIN PASSWORD 'right'")
            root.execute("CREATE DATABASE daq OWNER daq")
            url = f"postgresql://daq:right@{LOOPBACK}:{server.port}/daq"
            with ship(tmp_path / "ship", url) as running:
                running.migrate()
                assert running.page()[0] == 200
                root.execute("ALTER ROLE daq PASSWORD 'wrong'")
                root.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'daq'")
                _, text = wait_for(lambda: (found := running.page())[0] == 503 and found, "the plain page")
                assert "The database does not let the DAQ in: user, password or rights are wrong." in text
                root.execute("ALTER ROLE daq PASSWORD 'right'")
                wait_for(lambda: running.page()[0] == 200, "the page to come back")


def test_the_disk_of_the_database_is_full(tmp_path: Path) -> None:
    with small_disk(160) as disk, running_postgresql(SMALL, disk.path) as server:
        url = server.create_database("daq")
        with ship(tmp_path, url) as running, psycopg.connect(url, autocommit=True) as watch:
            running.migrate()
            assert running.page()[0] == 200
            disk.fill()
            taken, refused = 0, None
            for number in range(2000):
                code, answer = running.take("release" if number % 2 else "take")
                if code != 200:
                    refused = code, answer["detail"]
                    break
                taken += 1
            assert refused == (503, "The disk of the database is full: nothing can be written.")
            code, text = running.page()
            assert code == 200  # it can still be read
            assert 'data-system="database-full"' in text
            assert "An administrator makes space on that disk" in text
            assert running.checks()["database"] == "fail: The disk of the database is full: nothing can be written."
            disk.make_space()
            wait_for(lambda: running.take("take")[0] == 200, "writing to go on")
            lines = watch.execute("SELECT count(*) FROM audit_entry WHERE what LIKE '%control%'").fetchone()
            assert lines is not None
            assert lines[0] >= taken
            wait_for(lambda: is_well(running, "database"), "the notice to go", 30)


def test_broker_and_worker_are_missed_and_come_back(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_database(f"bad{uuid.uuid4().hex}")
    with running_rabbitmq() as broker, ship(tmp_path, url, broker.url()) as running:
        running.migrate()
        worker = running.start("celery")
        for name in ("celery-files", "monitor"):
            running.start(name)
        every = ("broker", "worker control", "worker files", "monitor")
        wait_for(lambda: is_well(running, *every), "all to be there", 40)
        running.manage("shell", "-v", "0", "-c", A_TASK_FOR_EACH_QUEUE)
        wait_for(
            lambda: {("set_aside", "done"), ("run_command", "failed")} <= running.tasks(), "the tasks to be counted"
        )
        worker.freeze()
        wait_for(
            lambda: running.checks().get("worker control", "").startswith("fail: last seen"), "it to be missed", 30
        )
        worker.thaw()
        wait_for(lambda: is_well(running, *every), "the worker", 30)
        broker.process.kill()
        wait_for(lambda: running.checks().get("broker", "").startswith("fail: the monitor on"), "the broker's end", 40)
        assert running.checks()["worker control"].startswith("fail: last seen")
        broker.process.start()
        broker.process.wait_until(lambda: listens(broker.port), 40)
        wait_for(lambda: is_well(running, *every), "all to be there again", 60)


def test_the_backup_tells_when_it_was_made(postgresql: PostgreSQL, tmp_path: Path) -> None:
    name = f"bad{uuid.uuid4().hex}"
    with ship(tmp_path, postgresql.create_database(name)) as running:
        running.migrate()
        assert "backup" not in running.checks()
        # as deploy/backup.sh does it, which would make dumps for ever
        tell = 'source <(sed -n "/^tell()/,/^}/p" deploy/backup.sh); ours=1.2.3 every=6; tell; tell'
        psql = find_program("/usr/lib/postgresql/*/bin/psql", "postgresql").parent
        where = {"PGHOST": LOOPBACK, "PGPORT": str(postgresql.port), "PGUSER": "attpcdaq", "PGDATABASE": name}
        words = ["bash", "-euo", "pipefail", "-c", tell]
        subprocess.run(words, check=True, cwd=ROOT, env={"PATH": f"{psql}:{os.defpath}", **where})
        wait_for(lambda: running.checks().get("backup") == "ok", "the backup to be known")
