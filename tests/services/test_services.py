"""Each real program is there, answers, and keeps to loopback and its own directory."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable

import asyncssh
import kombu
import psutil
import psycopg
import pytest

from tests.services.nginx import Nginx, framed
from tests.services.postgresql import PostgreSQL
from tests.services.processes import LOOPBACK, Process, ServiceError, find_program, free_port, listens, own_directory
from tests.services.rabbitmq import RabbitMQ
from tests.services.sshd import Sshd


def addresses_of(process: Process) -> set[str]:
    """The addresses on which a program listens (children come and go; all they have is inherited)."""
    connections = psutil.Process(process.pid).net_connections("tcp")
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}


def test_postgresql_stores_and_notifies(postgresql: PostgreSQL) -> None:
    url = postgresql.create_database(f"t{uuid.uuid4().hex}")
    with psycopg.connect(url, autocommit=True) as listener, psycopg.connect(url, autocommit=True) as speaker:
        listener.execute("LISTEN runs")
        speaker.execute("CREATE TABLE run (number int PRIMARY KEY)")
        speaker.execute("INSERT INTO run VALUES (7)")
        speaker.execute("NOTIFY runs, 'run 7'")
        (heard,) = listener.notifies(timeout=10, stop_after=1)
        assert heard.payload == "run 7"
        assert listener.execute("SELECT number FROM run").fetchall() == [(7,)]
    assert addresses_of(postgresql.process) == {LOOPBACK}


def test_rabbitmq_carries_a_message_through_a_quorum_queue(rabbitmq: RabbitMQ) -> None:
    name = f"q{uuid.uuid4().hex}"
    with kombu.Connection(rabbitmq.url(), transport_options={"confirm_publish": True}) as connection:
        queue = kombu.Queue(name, routing_key=name, queue_arguments={"x-queue-type": "quorum"})
        kombu.Producer(connection).publish({"run": 7}, routing_key=name, declare=[queue], delivery_mode=2)
        heard = []
        with kombu.Consumer(
            connection, [queue], callbacks=[lambda body, message: (heard.append(body), message.ack())], accept=["json"]
        ):
            connection.drain_events(timeout=10)
    assert heard == [{"run": 7}]
    assert addresses_of(rabbitmq.process) == {LOOPBACK}


async def test_nginx_passes_requests_on(nginx: Callable[[str], Nginx]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        body = request.split(b"\r\n")[0]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    upstream = await asyncio.start_server(answer, LOOPBACK)
    port = upstream.sockets[0].getsockname()[1]
    passed_on = f"location / {{ proxy_pass http://{LOOPBACK}:{port}; }}"
    server = nginx(framed(f"server {{ listen {LOOPBACK}:@PORT@; {passed_on} }}"))
    async with upstream:
        reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.write(b"GET /status HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        answered = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answered.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx")
    assert answered.endswith(b"GET /status HTTP/1.0")
    assert addresses_of(server.process) == {LOOPBACK}


async def test_sshd_runs_commands_and_renames_files(sshd: Sshd) -> None:
    files = sshd.files / "renames"
    files.mkdir()
    (files / "a.graw").write_bytes(b"frame")
    options = {"username": sshd.user, "client_keys": [str(sshd.key)], "known_hosts": str(sshd.known_hosts)}
    async with asyncssh.connect(sshd.host, sshd.port, config=None, **options) as connection:
        assert (await connection.run(f"ls {files}", check=True)).stdout == "a.graw\n"
        async with connection.start_sftp_client() as sftp:
            await sftp.rename(str(files / "a.graw"), str(files / "b.graw"))
    assert [path.name for path in files.iterdir()] == ["b.graw"]
    assert addresses_of(sshd.process) == {LOOPBACK}


async def test_sshd_refuses_another_key(sshd: Sshd) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            sshd.host,
            sshd.port,
            username=sshd.user,
            client_keys=[stranger],
            known_hosts=str(sshd.known_hosts),
            config=None,
            agent_path=None,
        )


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(ServiceError, match="install the package nothing with deploy/test-services"):
        find_program("/usr/lib/no-such-thing/*/bin/nothing", "nothing")


def test_a_program_that_ends_early_says_its_last_words() -> None:
    with own_directory("t") as directory:
        process = Process([sys.executable, "-c", "raise SystemExit('no licence')"], directory)
        with pytest.raises(ServiceError, match="no licence"):
            process.wait_until(lambda: False, 10)
        process.stop()


def test_programs_end_when_whoever_started_them_is_killed() -> None:
    port = free_port()
    starter = (
        "import sys, time; from pathlib import Path; from tests.services.processes import Process, listens\n"
        f"p = Process([sys.executable, '-m', 'http.server', '--bind', '{LOOPBACK}', '{port}'], Path(sys.argv[1]))\n"
        f"p.wait_until(lambda: listens({port}), 60); print(p.pid, flush=True); time.sleep(60)"
    )
    with own_directory("t") as directory:
        parent = subprocess.Popen([sys.executable, "-c", starter, directory], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.communicate()
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        assert not listens(port)
