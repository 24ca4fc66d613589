"""The same processes with PostgreSQL, RabbitMQ and nginx do the main job once."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.http_json import call
from tests.e2e.http_pages import get, log_in, open_stream, read_until
from tests.e2e.production import Production, running_production
from tests.e2e.system import SERVERS, System
from tests.e2e.test_main_job_api import check_files
from tests.e2e.waiting import wait_for
from tests.log_lines import Line, lines_of
from tests.services.postgresql import PostgreSQL
from tests.services.rabbitmq import RabbitMQ


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def running(directory: Path, postgresql: PostgreSQL, rabbitmq: RabbitMQ) -> Iterator[Production]:
    url = postgresql.create_database(f"e2e{uuid.uuid4().hex}")
    with running_production(directory, url, rabbitmq.url()) as running:
        yield running


@pytest.fixture
def production(running: Production) -> System:
    return running.system


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
    assert "/static/attpcdaq/daq." in answer.read().decode()


def clicked(running: Production, action: str, request_id: str) -> str:
    """Ask the process `web` for a command, with this id, and see it done; the command's id."""
    url = f"http://{running.addresses['web']}/api/v1/commands"
    code, answer = call("POST", url, {"action": action}, running.system.token, {"X-Request-ID": request_id})
    assert code == 202, answer
    command = running.system.finished(answer["id"])
    assert (command["state"], command["request_id"]) == ("done", request_id)
    return str(answer["id"])


def test_a_click_is_found_in_the_lines_of_web_worker_and_gateway(production: System, running: Production) -> None:
    production.ready()
    begin, end = f"begin-{uuid.uuid4().hex}", f"end-{uuid.uuid4().hex}"
    start = clicked(running, "start", begin)
    wait_for(lambda: all(map(len, production.files().values())), "files of every board")
    stop = clicked(running, "stop", end)
    run = f"demo run {production.closed()['number']}"

    def lines(process: str, request_id: str) -> list[Line]:
        found = [line for line in log_of(running, process) if line.get("request_id") == request_id]
        return [line for line in found if line["logger"].startswith("attpcdaq.")]

    accepted, answered = lines("web", begin)
    assert (accepted["command"], answered["path"], answered["status"]) == (start, "/api/v1/commands", 202)
    for request_id, action, command in ((begin, "Start", start), (end, "Stop", stop)):
        # a Stop that no worker takes within a second the monitor carries out
        told = lines("celery", request_id) or lines("monitor", request_id)
        assert {(line["command"], line["run"]) for line in told} == {(command, run)}
        assert told[0]["event"] == f"{action} for the whole system begins"
        calls = [line["server"] for line in told if line["event"] == f"{action}: answered"]
        assert sorted(calls) == sorted(SERVERS)
        assert told[-1]["event"] == f"{action} done"
    wait_for(lambda: any(line["event"] == "closed" for line in lines("celery-files", end)), "the end of the close-out")
    moved = {line["node"] for line in lines("celery-files", end) if line["event"].startswith("move ")}
    assert moved == set(production.nodes)


def test_every_line_of_every_process_has_the_shape_and_no_secret(production: System, running: Production) -> None:
    assert get(production, "/nowhere").status in (302, 404)
    for process, service in (("web", "web"), ("events", "events"), ("celery", "celery"), ("monitor", "monitor")):
        lines = log_of(running, process)
        assert lines
        for line in lines:
            assert list(line)[:5] == ["time", "level", "logger", "event", "service"]
            assert line["service"] == service
        # polls, and readings of every server twice a second, say nothing
        assert not [line for line in lines if "GetState" in line["event"]]
        looked = (line for line in lines if line.get("method") == "GET")
        assert not [line for line in looked if line["status"] < 400 and line["ms"] < 1000]
    written = "".join(process.log.read_text() for process in running.processes.values())
    assert production.token not in written
    assert running.password not in written


def log_of(running: Production, process: str) -> list[Line]:
    """All that a process has written: every line is JSON."""
    return lines_of(running.processes[process].log.read_text())
