"""`attpcdaq status --watch` as a process of its own: follows, outlives a restart of the DAQ, ends with Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.waiting import wait_for
from tests.services.processes import free_port


def status(title: str) -> dict[str, object]:
    return {"at": "2026-11-22T09:48:24Z", "overall": {"level": "ok", "title": title, "reasons": []}}


@contextmanager
def serving(port: int, title: str) -> Iterator[None]:
    """A web server with this status for the length of the block; nobody answers after it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(status(title)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Ctrl-C works, also where the tests themselves were started to ignore it.
AT_A_TERMINAL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("attpcdaq_client", run_name="__main__")
"""


class Watcher:
    """The command in a process, its output in a file."""

    def __init__(self, folder: Path, port: int, *words: str) -> None:
        self.out = folder / "out"
        environment = {**os.environ, "ATTPCDAQ_URL": f"http://127.0.0.1:{port}", "ATTPCDAQ_TOKEN": "t"}
        command = [sys.executable, "-u", "-c", AT_A_TERMINAL, "status", "--watch", *words]
        with self.out.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment | {"XDG_CONFIG_HOME": str(folder)},
            )

    @property
    def said(self) -> str:
        return self.out.read_text()

    def until(self, words: str, times: int = 1) -> None:
        wait_for(lambda: self.said.count(words) >= times, f"{words!r} in the output", 20)

    def ended(self) -> int:
        """Ctrl-C; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def port() -> int:
    return free_port()


def test_it_tells_each_change_and_outlives_a_restart(tmp_path: Path, port: int) -> None:
    with serving(port, "Ready"):
        watcher = Watcher(tmp_path, port)
        watcher.until("[ok] Ready")
    try:
        watcher.until("OUT OF TOUCH: No connection to")
        with serving(port, "Run 7 is running"):
            watcher.until("[ok] Run 7 is running")
    finally:
        code = watcher.ended()
    assert code == 0
    assert "Traceback" not in watcher.said
    assert [line.split("  ", 1)[1].partition(":")[0] for line in watcher.said.splitlines()[:3]] == [
        "[ok] Ready",
        "OUT OF TOUCH",
        "[ok] Run 7 is running",
    ]


def test_for_programs_it_is_a_line_of_json_each_second(tmp_path: Path, port: int) -> None:
    with serving(port, "Ready"):
        watcher = Watcher(tmp_path, port, "--json")
        watcher.until('"title": "Ready"', times=2)
    try:
        watcher.until('"out_of_touch": ')
    finally:
        assert watcher.ended() == 0
    lines = [json.loads(line) for line in watcher.said.splitlines() if line]
    assert lines[0]["overall"]["title"] == "Ready"
    assert "No connection" in next(line for line in lines if "out_of_touch" in line)["out_of_touch"]


def test_who_was_never_there_is_not_watched(tmp_path: Path, port: int) -> None:
    watcher = Watcher(tmp_path, port)
    assert watcher.process.wait(20) == 3
    assert "Out of touch with the DAQ" in watcher.said
