"""The broker in a directory: every message reaches one reader, whole, whoever writes and reads at the same time."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kombu
import pytest

from attpcdaq.config.embedded_broker import LISTEN_FOR, Transport

WRITERS, READERS, EACH = 3, 3, 40
Connect = Callable[[], kombu.Connection]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    folders = {name: tmp_path / name for name in ("messages", "processed", "control")}
    for folder in folders.values():
        folder.mkdir()
    options: dict[str, Any] = {
        "data_folder_in": str(folders["messages"]),
        "data_folder_out": str(folders["messages"]),
        "processed_folder": str(folders["processed"]),
        "control_folder": str(folders["control"]),
        "polling_interval": 0.002,
    }
    return lambda: kombu.Connection("filesystem://here", transport=Transport, transport_options=options)


def test_every_message_is_read_once_and_whole(connect: Connect, tmp_path: Path) -> None:
    heard: list[Any] = []
    declared(connect)
    writers = [threading.Thread(target=write, args=(connect, number)) for number in range(WRITERS)]
    readers = [threading.Thread(target=read, args=(connect, heard)) for _ in range(READERS)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in (*writers, *readers):
        thread.join(60)
    assert sorted(heard) == [[writer, number, "x" * 5000] for writer in range(WRITERS) for number in range(EACH)]
    assert not list((tmp_path / "messages").iterdir())
    assert not list((tmp_path / "processed").iterdir())


def test_no_message_is_ever_seen_half_written(connect: Connect, tmp_path: Path) -> None:
    declared(connect)
    written = threading.Event()
    broken: list[str] = []

    def look() -> None:
        while not written.is_set():
            for path in (tmp_path / "messages").glob("*.msg"):
                try:
                    json.loads(path.read_bytes())
                except ValueError as error:
                    broken.append(str(error))

    watcher = threading.Thread(target=look)
    watcher.start()
    with connect() as connection:
        for _ in range(5):
            kombu.Producer(connection).publish("x" * 5_000_000, routing_key="work")
    written.set()
    watcher.join(10)
    assert broken == []


def declared(connect: Connect) -> None:
    with connect() as connection:
        kombu.Queue("work", routing_key="work")(connection.default_channel).declare()


def write(connect: Connect, writer: int) -> None:
    with connect() as connection:
        producer = kombu.Producer(connection)
        for number in range(EACH):
            producer.publish([writer, number, "x" * 5000], routing_key="work")


def read(connect: Connect, heard: list[Any]) -> None:
    """Until everybody together has heard everything, or 30 s have gone by."""
    deadline = time.monotonic() + 30
    with connect() as connection, kombu.Consumer(connection, [kombu.Queue("work")], accept=["json"]) as consumer:
        consumer.register_callback(lambda body, message: (heard.append(body), message.ack()))
        while len(heard) < WRITERS * EACH and time.monotonic() < deadline:
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                continue


def test_one_who_listens_looks_up_within_a_moment(connect: Connect) -> None:
    declared(connect)
    with connect() as connection, kombu.Consumer(connection, [kombu.Queue("work")]):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=5)
        assert time.monotonic() - began < LISTEN_FOR + 1
