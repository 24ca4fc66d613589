"""A wrong setting ends the start of every process with one line that names it and says what is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attpcdaq.config.environment import SettingsError, read_environment
from attpcdaq.demo import programs
from tests.services.processes import LOOPBACK, free_port

GOOD = {
    "ATTPCDAQ_SECRET_KEY": "a text that is long enough for a key",
    "ATTPCDAQ_DATABASE_URL": "sqlite:////dev/null/none",
    "ATTPCDAQ_BROKER_URL": "amqp://user:secret@127.0.0.1:1/none",
}
WRONG = [
    ("SECRET_KEY", "short", "set it to any random text of 32 characters or more"),
    ("DATABASE_URL", "mysql://u:hidden@h/n", "it must be postgresql://user:password@host:port/name or sqlite:"),
    ("DATABASE_URL", "postgresql://u:hidden@h:port/n", "the port is a number, and in a password / ? # @ : are written"),
    ("DATABASE_URL", "postgresql://u:hidden/1@h:5432/n", "are written %2F %3F %23 %40 %3A"),
    ("DATABASE_URL", "postgresql://u:hidden\u2100@h:5432/n", "the port is a number"),
    ("DATABASE_URL", "postgresql://u:p@h/n#?sslmode=verify-full&sslrootcert=system", "# @ : are written"),
    ("DATABASE_URL", "sqlite:////x?sslmode=verify-full", "it must be postgresql://user:password@host:port/name or"),
    ("BROKER_URL", "amqp://u:hidden/1@h:5672/", "the port is a number"),
    ("BROKER_URL", "redis://u:hidden@h", "the scheme must be amqp, amqps or filesystem"),
    ("BROKER_URL", "filesystem://relative", "filesystem:// needs an absolute directory"),
    ("BROKER_CA", "/nowhere/ca.pem", "it is only for a broker at amqps://"),
    ("ALLOWED_HOSTS", "https://daq.example.org", "'https://daq.example.org' is not a host name without https://"),
    ("ALLOWED_HOSTS", "127.0.0.1,daq:8443", "'daq:8443' is not a host name without https:// and without a port"),
    ("CSRF_TRUSTED_ORIGINS", "daq.example.org", "'daq.example.org' is not an origin such as https://daq.example"),
    ("TRUSTED_PROXIES", "172.20.0.1/24", "172.20.0.1/24 has host bits set"),
    ("TRUSTED_PROXIES", "nginx", "'nginx' does not appear to be an IPv4 or IPv6 network"),
    ("HSTS_SECONDS", "-1", "set it to a whole number of seconds, 0 for none"),
    ("HSTS_SECONDS", "a day", "set it to a whole number of seconds, 0 for none"),
    ("SSH_KEY", "/nowhere/key", "there is no file /nowhere/key"),
    ("SSH_KNOWN_HOSTS", "/nowhere/hosts", "there is no file /nowhere/hosts"),
    ("STATIC_ROOT", "static", "static is not the absolute path of a directory"),
    ("TIME_ZONE", "Michigan", "there is no time zone 'Michigan'"),
    ("TIME_ZONE", "../etc/passwd", "there is no time zone"),
    ("COOKIE_PREFIX", "two words", "set it to 1 to 40 letters, digits and _"),
    ("DEBUG", "maybe", "set it to true or false"),
    ("LOG_LEVEL", "loud", "set it to DEBUG, INFO, WARNING or ERROR"),
    ("LOG_FORMAT", "xml", "set it to text or json"),
    ("ALLOWED_HOST", "daq", "is not a setting: did you mean ATTPCDAQ_ALLOWED_HOSTS?"),
]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith("ATTPCDAQ_"):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_it_is_named_with_what_is_allowed(environment: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    environment.setenv(f"ATTPCDAQ_{name}", value)
    with pytest.raises(SettingsError) as raised:
        read_environment()
    assert str(raised.value).startswith(f"ATTPCDAQ_{name} is ")
    assert words in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", ["", None])
def test_what_is_needed_is_missed(environment: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    environment.delenv(name)
    if value is not None:
        environment.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name} is missing: set it to "):
        read_environment()


def test_all_are_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ATTPCDAQ_LOG_LEVEL", "loud")
    environment.setenv("ATTPCDAQ_TIME_ZONE", "Michigan")
    environment.setenv("ATTPCDAQ_SSH_KEYS", "/key")
    with pytest.raises(SettingsError) as raised:
        read_environment()
    assert [part.split()[0] for part in str(raised.value).split("; ")] == [
        "ATTPCDAQ_TIME_ZONE",
        "ATTPCDAQ_LOG_LEVEL",
        "ATTPCDAQ_SSH_KEYS",
    ]


def test_empty_is_not_set_and_lists_are_split(environment: pytest.MonkeyPatch) -> None:
    for name in ("ALLOWED_HOSTS", "SSH_KEY", "STATIC_ROOT", "TIME_ZONE"):
        environment.setenv(f"ATTPCDAQ_{name}", "")
    environment.setenv("ATTPCDAQ_TRUSTED_PROXIES", " 172.20.0.0/24, fd00::/8,")
    found = read_environment()
    assert (found.allowed_hosts, found.ssh_key, found.time_zone) == (["127.0.0.1", "localhost"], None, "UTC")
    assert [str(network) for network in found.trusted_proxies] == ["172.20.0.0/24", "fd00::/8"]


COMMANDS = {
    "web": programs.web(f"{LOOPBACK}:{free_port()}", service="web"),
    "events": programs.web(f"{LOOPBACK}:{free_port()}", service="events"),
    "celery": programs.celery("control"),
    "celery-files": programs.celery("files", threads=2),
    "monitor": programs.monitor(),
    "migrate": programs.management("migrate", "--no-input"),
    "first_admin": programs.management("first_admin"),
    "collectstatic": programs.management("collectstatic", "--no-input"),
    "offsite": programs.management("offsite", "/nowhere"),
}


def started(process: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATTPCDAQ_")}
    return subprocess.run(
        COMMANDS[process],
        env={**kept, "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("process", COMMANDS)
def test_every_process_ends_with_one_line(process: str) -> None:
    done = started(process, **GOOD, ATTPCDAQ_STATIC_ROOT="/tmp/static", ATTPCDAQ_LOG_LEVEL="loud")
    assert done.returncode != 0
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert line.startswith("attpcdaq: ATTPCDAQ_LOG_LEVEL is wrong (")
    assert line.endswith("set it to DEBUG, INFO, WARNING or ERROR")


@pytest.mark.parametrize("process", ["web", "events"])
def test_static_files_that_were_not_collected_end_it_too(process: str, tmp_path: Path) -> None:
    done = started(process, **GOOD, ATTPCDAQ_STATIC_ROOT=str(tmp_path))
    assert done.returncode != 0
    (line,) = (done.stdout + done.stderr).splitlines()
    assert line.endswith(f"there is no staticfiles.json in {tmp_path}: run manage.py collectstatic")


def test_the_checks_for_a_deployment_are_clean() -> None:
    command = [sys.executable, *programs.management("check", "--deploy", "--fail-level", "WARNING")[1:]]
    done = subprocess.run(command, env={**os.environ, **GOOD}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
