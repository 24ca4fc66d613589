"""PostgreSQL itself refuses to change the audit trail, whatever program asks."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.services.postgresql import PostgreSQL

ROOT = Path(__file__).resolve().parents[2]
INSERT = """
INSERT INTO audit_entry (at, who, role, origin, what, subject, outcome, text)
VALUES (now(), 'kim', 'shifter', '10.0.0.7', 'start', '', 'done', '')
"""


@pytest.fixture(scope="module")
def database(postgresql: PostgreSQL) -> str:
    """A migrated database with one line in the trail."""
    url = postgresql.create_database("audit_trail")
    settings = {"ATTPCDAQ_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=os.environ | settings, check=True, timeout=120
    )
    with psycopg.connect(url) as connection:
        connection.execute(INSERT)
    return url


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET who = 'lee'",
        "UPDATE audit_entry SET text = text || ' (not really)' WHERE id = 1",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE false",
        "INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT (id) DO UPDATE SET who = 'lee'",
    ],
)
def test_a_line_is_neither_changed_nor_deleted(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)
        connection.rollback()
        assert connection.execute("SELECT who FROM audit_entry").fetchall() == [("kim",)]


def test_lines_are_added(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(INSERT)
        assert connection.execute("SELECT count(*) FROM audit_entry").fetchone() == (2,)
        connection.rollback()
