"""A PostgreSQL server of our own."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.processes import (
    LOOPBACK,
    Process,
    ServiceError,
    as_user,
    find_program,
    free_port,
    own_directory,
    stopped_at_the_end,
)

SUPERUSER = "attpcdaq"
# Nothing here survives the test session, so nothing needs to reach the disk.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB"]
# What was committed outlives a killed server; only the machine's own end would need the disk.
SURVIVING = [*FAST, "synchronous_commit=on"]


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running server and its superuser (no password: loopback and trust)."""

    port: int
    process: Process

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgresql(settings: Sequence[str] = FAST, disk: Path | None = None) -> Iterator[PostgreSQL]:
    """initdb and start with `settings`, its data on `disk`; deleted at the end.

    As root it runs as the package's user, as it demands.
    """
    initdb = find_program("/usr/lib/postgresql/*/bin/initdb", "postgresql")
    owner = "postgres" if os.geteuid() == 0 else None
    port = free_port()
    with own_directory("pg", owner) as directory:
        data = (disk or directory) / "data"
        make = [initdb, "-D", data, "-U", SUPERUSER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = subprocess.run([*as_user(owner), *make], capture_output=True, text=True, check=False, cwd="/")
        if made.returncode:
            raise ServiceError(f"initdb: {made.stdout}{made.stderr}")
        options = [f"listen_addresses={LOOPBACK}", f"port={port}", f"unix_socket_directories={directory}", *settings]
        command = [initdb.with_name("postgres"), "-D", data, *(word for option in options for word in ("-c", option))]
        # SIGINT: its "fast shutdown", which does not wait for clients to leave
        process = Process(command, directory, owner=owner, stop_signal=signal.SIGINT)
        with stopped_at_the_end(process):
            server = PostgreSQL(port, process)
            process.wait_until(server.answers, 30)
            yield server
