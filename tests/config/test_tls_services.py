"""Database and broker over TLS, as they are published for other computers: verified, or not spoken to at all."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from attpcdaq.config.database_url import database_settings, libpq_parameters
from attpcdaq.config.secret_files import SecretFiles
from attpcdaq.demo import programs
from tests.services.postgresql import PostgreSQL
from tests.services.processes import LOOPBACK
from tests.services.rabbitmq import RabbitMQ
from tests.services.tls import PASSWORD, UNNAMED, USER, made_secrets, tls_postgresql, tls_rabbitmq

pytestmark = pytest.mark.services
FOLLOW = """
import asyncio, django
django.setup()
from attpcdaq.web.hub import HUB
async def follow():
    async with HUB.listen() as queue:
        print((await queue.get()).kind, flush=True)
        print((await queue.get()).kind, flush=True)
        input()
asyncio.run(follow())
"""
CONNECT = """
from attpcdaq.config.celery import app
try:
    with app.connection_for_write() as connection:
        connection.connect()
        channel = connection.default_channel
        from attpcdaq.config.celery import CONTROL
        for queue in app.conf.task_queues:
            queue(channel).declare()
        print("connected")
except Exception as error:  # whatever refused it is the answer
    print(error)
"""


@pytest.fixture(scope="module")
def ours() -> Iterator[SecretFiles]:
    with made_secrets() as files:
        yield files


@pytest.fixture(scope="module")
def theirs() -> Iterator[SecretFiles]:
    """Another authority."""
    with made_secrets() as files:
        yield files


@pytest.fixture(scope="module")
def database(ours: SecretFiles) -> Iterator[PostgreSQL]:
    with tls_postgresql(ours) as server:
        yield server


@pytest.fixture(scope="module")
def broker(ours: SecretFiles) -> Iterator[RabbitMQ]:
    with tls_rabbitmq(ours) as server:
        yield server


def database_url(port: int, ca: Path | None, *, host: str = "localhost", password: str = PASSWORD) -> str:
    tls = f"sslmode=verify-full&sslrootcert={ca}" if ca else "sslmode=disable"
    return f"postgresql://{USER}:{quote(password, safe='')}@{host}:{port}/daq?{tls}"


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(**libpq_parameters(database_settings(url)))


def run(words: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings}
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    return run(programs.management("migrate", "--no-input", "--verbosity", "0"), ATTPCDAQ_DATABASE_URL=url)


def test_the_database_is_spoken_to_over_tls_by_name_and_by_address(database: PostgreSQL, ours: SecretFiles) -> None:
    for host in ("localhost", LOOPBACK):
        with connect(database_url(database.port, ours.ca, host=host)) as connection:
            query = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.execute(query).fetchone() == (True, "TLSv1.3")


def test_a_database_of_another_authority_is_not_spoken_to(database: PostgreSQL, theirs: SecretFiles) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(database_url(database.port, theirs.ca))


def test_a_database_of_another_name_is_not_spoken_to(database: PostgreSQL, ours: SecretFiles) -> None:
    parameters = libpq_parameters(database_settings(database_url(database.port, ours.ca, host="other.example.org")))
    with pytest.raises(psycopg.OperationalError, match=r"does not match host name .other\.example\.org."):
        psycopg.connect(**parameters, hostaddr=LOOPBACK)


def test_a_database_without_tls_never_hears_the_password(postgresql: PostgreSQL, ours: SecretFiles) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not support SSL, but SSL was required"):
        connect(database_url(postgresql.port, ours.ca))


def test_clear_text_is_not_let_in(database: PostgreSQL) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for host .* no encryption"):
        connect(database_url(database.port, None))


def test_a_wrong_password_is_said_in_one_line(database: PostgreSQL, ours: SecretFiles) -> None:
    refused = migrate(database_url(database.port, ours.ca, password="wrong"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("attpcdaq: The database does not let the DAQ in: user, password or rights")
    assert 'password authentication failed for user "daq"' in refused.stderr


def test_another_authority_is_said_in_one_line(database: PostgreSQL, theirs: SecretFiles) -> None:
    refused = migrate(database_url(database.port, theirs.ca))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("attpcdaq: The database's certificate is not believed")


def test_the_rows_are_made_and_the_event_stream_listens_over_tls(database: PostgreSQL, ours: SecretFiles) -> None:
    url = database_url(database.port, ours.ca)
    assert migrate(url).stderr == ""
    environment = {**os.environ, "ATTPCDAQ_DATABASE_URL": url}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FOLLOW], env=environment, **pipes) as events:
        assert events.stdout is not None
        assert events.stdout.readline() == "beat\n"
        with psycopg.connect(database.url("daq")) as connection:
            query = (
                "SELECT a.application_name, s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
                "WHERE a.usename = %s ORDER BY 1"
            )
            assert connection.execute(query, [USER]).fetchall() == [("", True), ("attpcdaq events", True)]
        events.communicate("\n", timeout=30)


def broker_settings(port: int, ca: Path, *, host: str = "localhost", password: str = "guest") -> dict[str, str]:
    return {"ATTPCDAQ_BROKER_URL": f"amqps://guest:{password}@{host}:{port}//", "ATTPCDAQ_BROKER_CA": str(ca)}


def said(settings: dict[str, str]) -> str:
    done = run([sys.executable, "-c", CONNECT], DJANGO_SETTINGS_MODULE="attpcdaq.config.settings", **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_broker_is_spoken_to_over_tls_by_name_and_by_address(broker: RabbitMQ, ours: SecretFiles) -> None:
    assert said(broker_settings(broker.port, ours.ca)) == "connected\n"
    assert said(broker_settings(broker.port, ours.ca, host=LOOPBACK)) == "connected\n"


def test_a_broker_of_another_authority_is_not_spoken_to(broker: RabbitMQ, theirs: SecretFiles) -> None:
    assert "certificate verify failed" in said(broker_settings(broker.port, theirs.ca))


def test_a_broker_of_another_name_is_not_spoken_to(broker: RabbitMQ, ours: SecretFiles) -> None:
    assert "IP address mismatch" in said(broker_settings(broker.port, ours.ca, host=UNNAMED))


def test_a_broker_without_tls_is_not_spoken_to(rabbitmq: RabbitMQ, ours: SecretFiles) -> None:
    assert "connected" not in said(broker_settings(rabbitmq.port, ours.ca))


def test_a_wrong_password_of_the_broker_is_said(broker: RabbitMQ, ours: SecretFiles) -> None:
    assert "Login was refused" in said(broker_settings(broker.port, ours.ca, password="wrong"))


def test_clear_text_finds_no_broker(broker: RabbitMQ) -> None:
    assert "connected" not in said({"ATTPCDAQ_BROKER_URL": f"amqp://guest:guest@localhost:{broker.port}//"})
