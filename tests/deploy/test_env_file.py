"""`.env` as people write it, read by deploy/stack as Compose reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STACK = Path(__file__).resolve().parents[2] / "deploy/stack"


def ask(root: Path, code: str, status: int = 0) -> Any:
    """What an expression of `place` or `ports` is, for a copy of the project at `root`."""
    environment = {"ATTPCDAQ_ROOT": str(root), "PYTHONPATH": str(STACK), "PATH": "/usr/bin:/bin"}
    program = ["-c", f"import json, place, ports\nprint(json.dumps({code}))"]
    done = subprocess.run([sys.executable, *program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if not status else done.stderr.splitlines()[-1]


def copy(root: Path, text: str | bytes) -> Path:
    (root / "pyproject.toml").write_text('version = "0.3.0"\n')
    (root / ".env").write_bytes(text.encode() if isinstance(text, str) else text)
    (root / ".env").chmod(0o600)
    return root


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        ("NAME=value # why", "value"),
        ("NAME=value      # why, with a comma", "value"),
        ("NAME=val#ue", "val#ue"),
        ("NAME='val # ue' # why", "val # ue"),
        ('NAME="value"', "value"),
        ('NAME="it\'s"', "it's"),
        ("export NAME=value", "value"),
        ("  NAME = value  ", "value"),
        ("NAME=value\r", "value"),
        ("NAME=a=b", "a=b"),
        ("NAME=", ""),
        ("NAME=first\nNAME=second", "second"),
        ("\ufeffNAME=value", "value"),
    ],
)
def test_a_line(tmp_path: Path, line: str, value: str) -> None:
    assert ask(copy(tmp_path, f"{line}\n"), "place.settings()") == {"NAME": value}


@pytest.mark.parametrize("line", ["# NAME=value", "#NAME=value", "", "NAME", "1=2"])
def test_no_setting(tmp_path: Path, line: str) -> None:
    assert ask(copy(tmp_path, f"{line}\n"), "place.settings()") == {}


def test_every_host_gets_into_the_certificate(tmp_path: Path) -> None:
    root = copy(tmp_path, "ATTPCDAQ_ALLOWED_HOSTS=127.0.0.1, daq.example.org,10.20.0.5   # what the others call it\n")
    assert ask(root, "place.hosts()") == ["127.0.0.1", "daq.example.org", "10.20.0.5"]


def test_any_host_is_no_name_for_a_certificate(tmp_path: Path) -> None:
    assert ask(copy(tmp_path, "ATTPCDAQ_ALLOWED_HOSTS=*\n"), "place.hosts()") == ["127.0.0.1", "localhost"]


def test_settings_that_are_missing_or_empty_are_made_and_the_others_kept(tmp_path: Path) -> None:
    root = copy(tmp_path, "# ours\nATTPCDAQ_VERSION=0.3.0\nPOSTGRES_PASSWORD=\nATTPCDAQ_HTTP_PORT=8090\n")
    found = ask(root, "(place.settle(), place.settings())[1]")
    assert (found["ATTPCDAQ_VERSION"], found["ATTPCDAQ_HTTP_PORT"]) == ("0.3.0", "8090")
    assert min(len(found[name]) for name in ("POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "ATTPCDAQ_SECRET_KEY")) >= 32
    assert (root / ".env").read_text().startswith("# ours\n")
    assert (root / ".env").stat().st_mode & 0o777 == 0o600
    assert ask(root, "(place.settle(), place.settings())[1]") == found


def test_a_setting_is_changed_where_it_was_written_otherwise(tmp_path: Path) -> None:
    root = copy(tmp_path, "export ATTPCDAQ_VERSION = '0.2.0' # old\nATTPCDAQ_VERSION_NOTE=kept\n")
    ask(root, "place.change_setting('ATTPCDAQ_VERSION', '0.3.0')")
    assert (root / ".env").read_text() == "ATTPCDAQ_VERSION_NOTE=kept\nATTPCDAQ_VERSION=0.3.0\n"


def test_root_takes_nobody_s_settings_away(tmp_path: Path) -> None:
    path = copy(tmp_path, "ATTPCDAQ_VERSION=0.3.0\n") / ".env"
    if os.getuid() == 0:
        os.chown(path, 4711, 4712)
    before = path.stat()
    ask(tmp_path, "place.change_setting('NAME', 'value')")
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_ino != before.st_ino


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (b"NAME=caf\xe9\n", "place.settings()", "is no text in UTF-8 (byte 8)"),
        ("ATTPCDAQ_UID=me\n", "place.owner()", "ATTPCDAQ_UID=me in"),
        ("ATTPCDAQ_VERSION=0.2.0\n", "place.settle()", "what runs here is version 0.2.0, this copy is 0.3.0"),
        ("ATTPCDAQ_HTTP_PORT=70000\n", "ports._port(ports.HTTP)", "ATTPCDAQ_HTTP_PORT=70000 in"),
        ("ATTPCDAQ_BIND=everywhere\n", "ports._address()", "ATTPCDAQ_BIND=everywhere in"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str | bytes, code: str, says: str) -> None:
    assert says in ask(copy(tmp_path, text), code, status=1)


def test_settings_that_others_may_read_are_refused(tmp_path: Path) -> None:
    root = copy(tmp_path, "ATTPCDAQ_VERSION=0.3.0\n")
    (root / ".env").chmod(0o640)
    assert "may be read by others: chmod 600" in ask(root, "place.settle()", status=1)


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [("0.10.0", "0.9.9", True), ("0.3.0", "0.3.0", False), ("0.2.9", "0.3.0", False), ("0.3.0.dev0", "0.2.0", True)],
)
def test_which_version_is_newer(tmp_path: Path, version: str, than: str, newer: bool) -> None:
    assert ask(copy(tmp_path, ""), f"place.is_newer('{version}', '{than}')") is newer
