"""What is wrong with the database, in plain words, from the error that it gave."""

import re
import time
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

STANDS_FOR = 15.0
"""Seconds for which a process that could not write goes on saying so."""


@dataclass(frozen=True, slots=True)
class DatabaseTrouble:
    """`key` names its section in the manual (troubles_system)."""

    key: str
    text: str
    pattern: str = ""
    states: tuple[str, ...] = ()
    """SQLSTATEs of PostgreSQL."""


# SQLSTATE classes of PostgreSQL: connection, resources, locks, intervention, system. Others come of what we asked.
ITS_OWN = ("08", "53", "55", "57", "58")
# SQLite's codes for a statement that is wrong or was asked wrongly: ERROR, MISUSE, RANGE.
SQLITE_OURS = (1, 21, 25)
UNWRITABLE = ("database-full", "database-read-only")
AWAY = DatabaseTrouble("database-silent", "The database does not answer.")
KNOWN = (
    DatabaseTrouble(
        "database-full",
        "The disk of the database is full: nothing can be written.",
        r"No space left on device|database or disk is full",
        ("53100",),
    ),
    DatabaseTrouble(
        "database-read-only",
        "The database may only be read: nothing can be written.",
        r"readonly database|read-only transaction",
        ("25006",),
    ),
    DatabaseTrouble(
        "database-password",
        "The database does not let the DAQ in: user, password or rights are wrong.",
        r"password authentication failed|no password supplied|no pg_hba\.conf entry|permission denied for"
        r"|role \".*\" (?:does not exist|is not)",
        ("28P01", "28000", "42501"),
    ),
    DatabaseTrouble(
        "database-missing",
        "The database server knows no database of that name.",
        r"database \".*\" does not exist|unable to open database file",
        ("3D000",),
    ),
    DatabaseTrouble(
        "database-crowded",
        "The database has no connection left.",
        r"too many clients|remaining connection slots|too many connections",
        ("53300",),
    ),
    DatabaseTrouble(
        "database-certificate",
        "The database's certificate is not believed, or TLS does not come about.",
        # A connection over TLS that breaks off in the middle is not a matter of certificates.
        r"certificate verify failed|server certificate for|root certificate file|does not support SSL"
        r"|SSL error(?!: unexpected eof)",
    ),
    DatabaseTrouble(
        "not-migrated",
        "The tables of the database are not those of this program.",
        r"no such (?:table|column)|(?:relation|column) .* does not exist",
        ("42P01", "42703"),
    ),
)


def recognise(error: BaseException) -> DatabaseTrouble | None:
    """What an error of Django's or psycopg's means; None where a statement of ours was wrong."""
    cause = error.__cause__ or error
    state = str(getattr(cause, "sqlstate", None) or "")
    for one in KNOWN:
        if state in one.states or re.search(one.pattern, str(error)):
            return one
    ours = (state and state[:2] not in ITS_OWN) or getattr(cause, "sqlite_errorcode", None) in SQLITE_OURS
    return AWAY if isinstance(error, OperationalError | InterfaceError) and not ours else None


class _Met:
    """What this process met last when it wrote, and when (monotonic seconds)."""

    trouble: DatabaseTrouble | None = None
    at = 0.0


def note(error: BaseException) -> DatabaseTrouble:
    """What `error` means; that nothing can be written is held for true for a while, because reading still works."""
    trouble = recognise(error) or AWAY
    if trouble.key in UNWRITABLE:
        _Met.trouble, _Met.at = trouble, time.monotonic()
    return trouble


def settle() -> None:
    """Something was written. On a full disk some writes still succeed, so that stands until its time is over."""
    if _Met.trouble is not None and _Met.trouble.key != "database-full":
        _Met.trouble = None


def standing() -> DatabaseTrouble | None:
    """Why nothing could be written a moment ago, where nothing has shown since that it is over."""
    return _Met.trouble if time.monotonic() - _Met.at < STANDS_FOR else None
