"""The words for what a database has, from the errors that PostgreSQL and SQLite really give."""

import os
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, OperationalError

from attpcdaq.live.database_troubles import KNOWN, recognise
from attpcdaq.runcontrol.troubles.troubles_system import BY_KEY
from tests.services.postgresql import PostgreSQL
from tests.services.processes import free_port


def key(error: BaseException) -> str:
    found = recognise(error)
    return found.key if found else ""


def failing(*words: str, **options: object) -> str:
    """The key of what connecting and running these statements leads to."""
    try:
        with psycopg.connect(**options, autocommit=True) as connection:
            for word in words:
                connection.execute(word)
    except psycopg.Error as error:
        wrapped = OperationalError(*error.args)
        wrapped.__cause__ = error
        return key(wrapped)
    raise AssertionError("nothing failed")


class TestPostgreSQL:
    def test_what_connecting_leads_to(self, postgresql: PostgreSQL) -> None:
        there = {"host": "127.0.0.1", "port": postgresql.port}
        assert failing(host="127.0.0.1", port=free_port(), dbname="x", user="x") == "database-silent"
        assert failing(**there, user="attpcdaq", dbname="nothing") == "database-missing"
        assert failing(**there, user="nobody", dbname="postgres") == "database-password"
        assert failing(**there, user="attpcdaq", dbname="postgres", sslmode="require") == "database-certificate"

    def test_what_statements_lead_to(self, postgresql: PostgreSQL) -> None:
        url = postgresql.create_database("troubles")
        make = "CREATE TABLE IF NOT EXISTS t (n int)"
        read_only = "SET default_transaction_read_only = on"
        assert failing(make, read_only, "INSERT INTO t VALUES (1)", conninfo=url) == "database-read-only"
        assert failing("SELECT * FROM nothing", conninfo=url) == "not-migrated"
        assert failing("SELECT nothing FROM t", conninfo=url) == "not-migrated"
        role = ["CREATE ROLE stranger", "SET ROLE stranger", "SELECT * FROM t"]
        assert failing(*role, conninfo=url) == "database-password"

    def test_statements_of_ours_that_are_wrong_are_no_trouble_of_it(self, postgresql: PostgreSQL) -> None:
        url = postgresql.create_database("ours")
        assert failing("SELEKT 1", conninfo=url) == ""
        assert (
            failing(
                "CREATE TABLE t (n text UNIQUE)", f"INSERT INTO t VALUES ('{os.urandom(10000).hex()}')", conninfo=url
            )
            == ""
        )


def test_sqlite(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x")
    with pytest.raises(sqlite3.Error) as gone:
        connection.execute("SELECT * FROM gone")
    assert key(OperationalError(str(gone.value))) == "not-migrated"
    connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.Error) as full:
        connection.execute("CREATE TABLE t (n)")
    assert key(OperationalError(str(full.value))) == "database-full"
    with pytest.raises(sqlite3.Error) as missing:
        sqlite3.connect(tmp_path / "no" / "directory")
    assert key(OperationalError(str(missing.value))) == "database-missing"


def test_a_wrong_statement_of_ours_is_no_trouble_of_the_database() -> None:
    assert recognise(IntegrityError("UNIQUE constraint failed: run.number")) is None
    with pytest.raises(sqlite3.OperationalError) as wrong:
        sqlite3.connect(":memory:").execute("SELEKT 1")
    wrapped = OperationalError(str(wrong.value))
    wrapped.__cause__ = wrong.value
    assert key(wrapped) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("consuming input failed: SSL error: unexpected eof while reading", "database-silent"),
        ("consuming input failed: SSL connection has been closed unexpectedly", "database-silent"),
        ('connection to server at "db" failed: SSL error: tlsv1 alert unknown ca', "database-certificate"),
    ],
)
def test_a_server_that_was_killed_has_no_trouble_with_its_certificate(text: str, expected: str) -> None:
    assert key(OperationalError(text)) == expected


def test_each_has_its_section() -> None:
    assert {one.key for one in KNOWN} <= set(BY_KEY)
