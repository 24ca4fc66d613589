"""The database as the verbs need it: questions, dumps, and one database put in the place of another."""

from datetime import UTC, datetime
from pathlib import Path

import docker
import place
from trouble import Trouble

NAME = "attpcdaq"
OPEN_RUN = "SELECT number FROM runlog_run WHERE state IN ('requested', 'starting', 'running', 'stopping', 'closing')"
END_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'attpcdaq'"
HALF_FILLED = r"SELECT datname FROM pg_database WHERE datname ~ '^attpcdaq_[0-9]{14}$'"
UPGRADING = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'attpcdaq'"
WRITERS = ("web", "events", "celery", "celery-files", "monitor", "backup")


def ask(question: str, database: str = NAME) -> str:
    """One value, or one a line."""
    words = ("exec", "-T", "db", "psql", "--username", NAME, "--dbname", database, "--no-psqlrc")
    return docker.read(*words, "--tuples-only", "--no-align", "--command", question).strip()


def has_tables() -> bool:
    """Whether there is anything to lose."""
    return ask("SELECT to_regclass('runlog_run') IS NOT NULL") == "t"


def check_no_run() -> None:
    """A run must not lose its control."""
    number = ask(OPEN_RUN) if has_tables() else ""
    if number:
        raise Trouble(f"run {number} is open: stop it first, and wait until it is closed")


def dump() -> Path:
    """Make a dump now; where it is."""
    place.make_directory(place.backups())
    # Without a version of its own: what runs is what .env says.
    name = _backup_container("once").split()
    if not name:
        raise Trouble("the dump has no name: see `docker compose logs db`")
    return place.backups() / name[-1]


def version_in(path: Path) -> str:
    """With which version a dump was made."""
    try:
        found = _backup_container("version", path.name).strip()
    except Trouble as error:
        raise Trouble(f"{path} is no dump that can be read ({error})") from None
    if not found:
        raise Trouble(f"{path} is a dump, but not one of this system: it names no version")
    return found


def fill(path: Path) -> str:
    """A new database with what the dump holds, all of it or nothing; its name."""
    for left_over in ask(HALF_FILLED, "postgres").split():
        drop(left_over)
    fresh = f"{NAME}_{datetime.now(UTC):%Y%m%d%H%M%S}"
    ask(f'CREATE DATABASE "{fresh}"', "postgres")
    try:
        _backup_container("fill", path.name, fresh)
    except (Trouble, KeyboardInterrupt):
        drop(fresh)
        raise
    return fresh


def drop(database: str) -> None:
    """Also where somebody is still connected, or it is gone already."""
    ask(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)', "postgres")


def put_in_place(fresh: str) -> None:
    """Nobody may write any more: what was there before is dropped only after the new one has its name."""
    before = f"{NAME}_before"
    drop(before)
    ask(END_CONNECTIONS, "postgres")
    # One transaction: at no moment is there no database of that name.
    rename = 'ALTER DATABASE "{}" RENAME TO "{}"'
    ask(f"{rename.format(NAME, before)}; {rename.format(fresh, NAME)}", "postgres")
    drop(before)


def stop_writers() -> list[str]:
    """Nobody writes any more; who was stopped."""
    running = {one["Service"] for one in docker.containers() if one["State"] == "running"}
    writers = [service for service in WRITERS if service in running]
    # Without names Compose would stop everything.
    if writers:
        docker.compose("stop", *writers)
    return writers


def note_upgrade(kept: Path) -> None:
    """From here on the tables may be neither of the old version nor of the new one: the dump is what they were."""
    ask(f"COMMENT ON DATABASE {NAME} IS '{kept.name}'", "postgres")


def forget_upgrade() -> None:
    """It came to its end."""
    ask(f"COMMENT ON DATABASE {NAME} IS NULL", "postgres")


def kept_before(version: str) -> Path | None:
    """The dump of an upgrade from this version that was cut off, by a power cut for instance."""
    name = ask(UPGRADING, "postgres")
    path = place.backups() / name
    return path if name.startswith(f"{NAME}-{version}-") and path.is_file() else None


def _backup_container(*words: str) -> str:
    return docker.read("run", "--rm", "--no-deps", "-T", "backup", "/backup.sh", *words)
