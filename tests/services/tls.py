"""Database and broker as compose.remote.yaml publishes them: with the very files of deploy/remote."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from attpcdaq.config.secret_files import SecretFiles
from tests.services.postgresql import FAST, SUPERUSER, PostgreSQL, running_postgresql
from tests.services.processes import LOOPBACK, own_directory
from tests.services.rabbitmq import RabbitMQ, running_rabbitmq

REMOTE = Path(__file__).resolve().parents[2] / "deploy" / "remote"
UNNAMED = "127.0.0.2"
"""An address of this computer that the certificate does not have."""
USER, PASSWORD = "daq", "a passphrase/with @ signs"
# What is not the product: the test itself comes in first, as it always does.
FOR_THE_TEST = f"host all {SUPERUSER} {LOOPBACK}/32 trust\n"


@contextmanager
def made_secrets() -> Iterator[SecretFiles]:
    """An authority of its own; as root, its files belong to PostgreSQL's user, as that demands."""
    owner = "postgres" if os.geteuid() == 0 else None
    with own_directory("tls") as directory:
        files = SecretFiles(directory)
        list(files.complete([], datetime.now(UTC)))
        for path in (directory, files.tls, files.services.key) if owner else ():
            shutil.chown(path, owner, owner)
        yield files


@contextmanager
def tls_postgresql(files: SecretFiles) -> Iterator[PostgreSQL]:
    """PostgreSQL with a user `daq`, who is let in by the rules of deploy/remote alone."""
    rules = files.directory / "pg_hba.conf"
    rules.write_text(FOR_THE_TEST + (REMOTE / "pg_hba.conf").read_text())
    tls = ["ssl=on", f"ssl_cert_file={files.services.cert}", f"ssl_key_file={files.services.key}"]
    with running_postgresql([*FAST, *tls, f"hba_file={rules}"]) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            words = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
            connection.execute(words.format(sql.Identifier(USER), sql.Literal(PASSWORD)))
            connection.execute(sql.SQL("CREATE DATABASE daq OWNER {}").format(sql.Identifier(USER)))
        yield server


@contextmanager
def tls_rabbitmq(files: SecretFiles) -> Iterator[RabbitMQ]:
    """RabbitMQ which listens as deploy/remote/rabbitmq.conf says, and nowhere else."""
    settings = (REMOTE / "rabbitmq.conf").read_text()
    places = {
        "listeners.ssl.1 = 5671": f"listeners.ssl.1 = {LOOPBACK}:@PORT@\nlisteners.ssl.2 = {UNNAMED}:@PORT@",
        "/run/secrets/tls_ca": str(files.ca),
        "/run/secrets/services_cert": str(files.services.cert),
        "/run/attpcdaq/key.pem": str(files.services.key),
    }
    for there, here in places.items():
        assert there in settings
        settings = settings.replace(there, here)
    with running_rabbitmq(settings) as broker:
        yield broker
