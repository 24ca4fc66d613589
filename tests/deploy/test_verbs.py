"""The verbs of the stack with a real database and no engine: in which order things are done, and what is left of it."""

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.postgresql import PostgreSQL, running_postgresql
from tests.services.processes import LOOPBACK, find_program

PROJECT = Path(__file__).resolve().parents[2]
RUN = "INSERT INTO runlog_run VALUES (7, 'running')"


class Place:
    """A copy of the project that holds only what the verbs read, and what they say to the engine."""

    def __init__(self, root: Path, server: PostgreSQL) -> None:
        self.root, self.server = root, server
        (root / "standin").mkdir()
        (root / "pyproject.toml").write_text('version = "0.3.0"\n')
        (root / "secrets").mkdir()
        programs = find_program("/usr/lib/postgresql/*/bin/pg_dump", "postgresql").parent
        self.environment = {
            "PATH": f"{PROJECT / 'tests/deploy/standins/engine'}:{Path(sys.executable).parent}:{programs}:{os.defpath}",
            "STANDIN": str(root / "standin"), "PROJECT": str(PROJECT), "ATTPCDAQ_ROOT": str(root),
            "ATTPCDAQ_BACKUPS": str(root / "backups"),
            "PGHOST": LOOPBACK, "PGPORT": str(server.port), "PGUSER": "attpcdaq", "PGDATABASE": "attpcdaq",
        }  # fmt: skip

    def verb(self, *words: str, status: int = 0) -> str:
        done = self.run(str(PROJECT / "deploy/stack"), *words)
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said, said
        return said

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words], env=self.environment, cwd=self.root, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip

    def runs_version(self, version: str) -> None:
        (self.root / ".env").write_text(f"ATTPCDAQ_VERSION={version}\n")
        (self.root / ".env").chmod(0o600)
        images = dict.fromkeys(("web", "celery", "monitor"), f"attpcdaq:{version}") | {"backup": "postgres:17"}
        containers = {service: ("running", image) for service, image in images.items()}
        (self.root / "standin/containers").write_text(json.dumps(containers))

    def on(self, word: str, script: str) -> None:
        path = self.root / f"standin/on-{word}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def said(self) -> list[str]:
        return (self.root / "standin/said").read_text().splitlines()

    def ask(self, question: str, database: str = "attpcdaq") -> list[str]:
        url = f"postgresql://attpcdaq@{LOOPBACK}:{self.server.port}/{database}"
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(question)
            return [str(row[0]) for row in cursor] if cursor.description else []

    def databases(self) -> list[str]:
        return self.ask("SELECT datname FROM pg_database WHERE datname LIKE 'attpcdaq%' ORDER BY 1", "postgres")

    def dumps(self) -> list[Path]:
        return sorted((self.root / "backups").glob("*.dump"))

    def version(self) -> str:
        return re.search("ATTPCDAQ_VERSION=(.*)", (self.root / ".env").read_text())[1]

    def running(self) -> bool:
        return "exited" not in (self.root / "standin/containers").read_text()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with running_postgresql() as found:
        yield found


@pytest.fixture
def place(tmp_path: Path, server: PostgreSQL) -> Place:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS attpcdaq WITH (FORCE)")
        connection.execute("CREATE DATABASE attpcdaq OWNER attpcdaq")
    made = Place(tmp_path, server)
    made.ask("CREATE TABLE runlog_run (number int, state text)")
    return made


def test_a_run_that_is_begun_while_images_are_built_is_not_left_alone(place: Place) -> None:
    place.runs_version("0.2.0")
    place.on("build", f'psql -qc "{RUN}"')
    assert "run 7 is open" in place.verb("upgrade", status=1)
    assert place.running()
    assert not any(" stop " in line for line in place.said())
    assert place.version() == "0.2.0"


def test_what_was_written_while_images_were_built_survives_an_upgrade_that_fails(place: Place) -> None:
    place.runs_version("0.2.0")
    place.on("build", "psql -qc \"INSERT INTO runlog_run VALUES (7, 'closed')\"")
    place.on("migrate", 'psql -qc "CREATE TABLE half_done (id int)"; exit 1')
    said = place.verb("upgrade", status=1)
    assert "version 0.2.0 runs again with its data" in said
    assert place.ask("SELECT number FROM runlog_run") == ["7"]
    assert place.ask("SELECT to_regclass('half_done') IS NULL") == ["True"]
    assert place.databases() == ["attpcdaq"]
    assert place.running(), "backups too"
    assert place.version() == "0.2.0"


def test_an_upgrade_after_one_that_was_cut_off_goes_back_to_before_the_first(place: Place) -> None:
    place.runs_version("0.2.0")
    # The power goes: the verb itself is killed, after half a migration.
    place.on("migrate", 'psql -qc "CREATE TABLE half_done (id int)"; kill -9 $(ps -o ppid= $PPID)')
    place.verb("upgrade", status=-9)
    assert place.version() == "0.2.0"
    assert place.ask("SELECT to_regclass('half_done') IS NULL") == ["False"]
    place.on("migrate", "exit 1")
    said = place.verb("upgrade", status=1)
    assert "An upgrade was cut off here" in said
    assert place.ask("SELECT to_regclass('half_done') IS NULL") == ["True"]


def test_an_upgrade_that_works_leaves_no_note_for_the_next(place: Place) -> None:
    place.runs_version("0.2.0")
    place.verb("upgrade")
    assert place.version() == "0.3.0"
    assert place.ask("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'attpcdaq'") == [
        "None"
    ]
    assert [path.name.split("-")[1] for path in place.dumps()] == ["0.2.0"]


def test_when_going_back_fails_it_says_where_the_data_are(place: Place) -> None:
    place.runs_version("0.2.0")
    place.on("migrate", "exit 1")
    place.on("fill", "echo no space left on device >&2; exit 1")
    said = place.verb("upgrade", status=1)
    assert "going back to 0.2.0 did not work either" in said
    assert "no space left" in said
    assert str(place.dumps()[0]) in said.splitlines()[-1]


def test_an_older_copy_does_not_upgrade(place: Place) -> None:
    place.runs_version("0.10.0")
    assert "this copy is older, 0.3.0" in place.verb("upgrade", status=1)


@pytest.mark.parametrize("verb", [["up"], ["renew-certificate"], ["restore", "pyproject.toml"]])
def test_a_copy_of_another_version_builds_nothing_under_the_name_of_the_one_that_runs(
    place: Place, verb: list[str]
) -> None:
    place.runs_version("0.2.0")
    assert "what runs here is version 0.2.0, this copy is 0.3.0: use `make upgrade`" in place.verb(*verb, status=1)
    assert not (place.root / "standin/said").exists()


def test_restore_keeps_what_was_written_while_the_dump_was_read(place: Place) -> None:
    place.verb("up")
    place.verb("backup")
    (dump,) = place.dumps()
    outside = dump.rename(place.root / dump.name)
    place.on("fill", "psql -d attpcdaq -qc \"INSERT INTO runlog_run VALUES (8, 'closed')\"")
    place.verb("restore", outside.name)
    assert place.ask("SELECT number FROM runlog_run") == []
    before = next(path for path in place.dumps() if path.name != outside.name)
    (place.root / "standin/on-fill").unlink()
    place.verb("restore", str(before))
    assert place.ask("SELECT number FROM runlog_run") == ["8"]
    place.verb("restore", outside.name)  # again, and it is in backups/ already
    assert place.databases() == ["attpcdaq"]


def test_a_restore_that_cannot_keep_what_was_there_changes_nothing(place: Place) -> None:
    place.verb("up")
    place.verb("backup")
    place.ask("INSERT INTO runlog_run VALUES (9, 'closed')")
    place.ask("CREATE DATABASE attpcdaq_20260101000000")  # what a restore left that was killed
    place.on("once", "echo no space left on device >&2; exit 1")
    assert "no space left" in place.verb("restore", str(place.dumps()[0]), status=1)
    assert place.ask("SELECT number FROM runlog_run") == ["9"]
    assert place.databases() == ["attpcdaq"]
    assert place.running()


def test_names_are_exchanged_at_once_or_not_at_all(place: Place) -> None:
    code = "import database, sys; database.put_in_place(sys.argv[1])"
    place.environment["PYTHONPATH"] = str(PROJECT / "deploy/stack")
    assert place.run("-c", code, "attpcdaq_that_is_not_there").returncode == 1
    assert place.databases() == ["attpcdaq"]


def test_an_engine_that_is_too_old_is_named(place: Place) -> None:
    place.environment["ENGINE"] = "20.10.24+dfsg1"
    assert "the Docker Engine is 20.10.24+dfsg1; needed is 25.0 or newer" in place.verb("up", status=1)


def test_two_verbs_at_the_same_time(place: Place) -> None:
    directory = os.open(place.root, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        assert "another verb is at work" in place.verb("upgrade", status=1)
    finally:
        os.close(directory)
