"""The same processes with PostgreSQL, RabbitMQ and nginx do the main job once."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.http_pages import get, log_in, open_stream, read_until
from tests.e2e.production import running_production
from tests.e2e.system import System
from tests.e2e.test_main_job_api import check_files
from tests.e2e.waiting import wait_for
from tests.services.postgresql import PostgreSQL
from tests.services.rabbitmq import RabbitMQ


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def production(directory: Path, postgresql: PostgreSQL, rabbitmq: RabbitMQ) -> Iterator[System]:
    url = postgresql.create_database(f"e2e{uuid.uuid4().hex}")
    with running_production(directory, url, rabbitmq.url()) as running:
        yield running.system


def test_the_main_job_with_the_real_services(production: System, directory: Path) -> None:
    wait_for(lambda: production.all_in("idle"), "the monitor to see every server", 30)
    stream = open_stream(production, log_in(production, (directory / "password").read_text().strip()))
    assert production.finished(production.request("describe"))["state"] == "done"
    assert "event: change" in read_until(stream, '"topics"')
    production.ready()
    production.do("start", title="with the real services")
    wait_for(lambda: all(map(len, production.files().values())), "files of every board")
    production.do("stop")
    assert production.closed()["verdict"] == ""
    check_files(production, 1)
    stream.close()


def test_nginx_serves_static_files_and_web_does_not_stream(production: System) -> None:
    answer = get(production, "/static/attpcdaq/daq.css")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css")
    assert "max-age=3600" in answer.headers["Cache-Control"]
    answer = get(production, "/events/stream")
    assert answer.status == 401
    answer = get(production, "/login/")
    assert answer.status == 200
    assert "daq.css" in answer.read().decode()
