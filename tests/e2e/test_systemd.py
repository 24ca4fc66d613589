"""Without containers: each unit file is sound, and its command works here and ends in its time."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from attpcdaq.config.environment import PREFIX, Environment
from tests.docs.building import build_served
from tests.e2e.units import ROOT, UNITS, Here, Unit, example_settings, ports
from tests.services.nginx import framed, running_nginx
from tests.services.postgresql import PostgreSQL
from tests.services.processes import LOOPBACK, Process, find_program, stopped_at_the_end
from tests.services.rabbitmq import RabbitMQ
from tests.services.sshd import Sshd

SERVICES = sorted(path.stem for path in UNITS.glob("*.service"))
LASTING = ["attpcdaq-web", "attpcdaq-events", "attpcdaq-celery", "attpcdaq-celery-files", "attpcdaq-monitor"]
# What they say when they are at work; before that, SIGTERM ends them as it ends any program.
SAY = {"attpcdaq-celery": " ready.", "attpcdaq-celery-files": " ready.", "attpcdaq-monitor": "monitor: reading"}
BEATS = {"attpcdaq-celery": "celery-control"}
MANAGE = ["/opt/attpcdaq/.venv/bin/python", "manage.py"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, rabbitmq: RabbitMQ, sshd: Sshd) -> Here:
    """Set up as docs/deployment.md says: secrets, settings, tables, static files, help."""
    directory = tmp_path_factory.mktemp("systemd")
    (directory / "backups").mkdir()
    settings = {
        **example_settings(),
        "PATH": f"{find_program('/usr/lib/postgresql/*/bin/pg_dump', 'postgresql').parent}:{os.defpath}",
        "ATTPCDAQ_DATABASE_URL": postgresql.create_database("systemd"),
        "ATTPCDAQ_BROKER_URL": rabbitmq.url(),
        "ATTPCDAQ_OFFSITE": f"sftp://{sshd.user}@{sshd.host}:{sshd.port}{sshd.files}/systemd",
        "PGHOST": LOOPBACK,
        "PGPORT": str(postgresql.port),
        "PGUSER": "attpcdaq",
        "PGDATABASE": "systemd",
    }
    here = Here(directory, ports(), settings)
    migrate = Unit("attpcdaq-migrate")
    end(here, migrate, [*MANAGE, "make_secrets", "/etc/attpcdaq/secrets"])
    (directory / "secrets/ssh_key.pub").unlink()
    shutil.copy(sshd.key, directory / "secrets/ssh_key")
    shutil.copy(sshd.known_hosts, directory / "secrets/known_hosts")
    end(here, migrate, *migrate.commands())
    end(here, migrate, [*MANAGE, "collectstatic", "--no-input"])
    shutil.copytree(build_served(), here.put("/srv/attpcdaq/help"))
    return here


def end(here: Here, unit: Unit, *commands: list[str]) -> str:
    """Run commands that end by themselves; what they print."""
    said = ""
    for words in commands:
        command, environment = here.command(words), here.environment(unit)
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    return said


class Started:
    """The process of one unit."""

    def __init__(self, here: Here, unit: Unit, folder: str = "") -> None:
        directory = here.directory / (folder or unit.name)
        directory.mkdir()
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(directory / "notify"))
        self.told.settimeout(30)
        command = ["env", "-C", str(ROOT), *here.command(unit.commands()[0])]
        environment = {**here.environment(unit), "NOTIFY_SOCKET": str(directory / "notify")}
        self.process = Process(command, directory, environment=environment)
        self._unit = unit

    def is_ready(self) -> bool:
        """Whether it told systemd so, where systemd waits for that."""
        return self._unit.one("Type") != "notify" or b"READY=1" in self.told.recv(4096)

    def stop(self) -> float:
        """Seconds it took to end, with exit status 0."""
        began = time.monotonic()
        self.process.stop()
        took = time.monotonic() - began
        assert self.process.exit_status() == 0, self.process.last_words()
        return took


def beats(postgresql: PostgreSQL, service: str) -> bool:
    """Whether it says in the database that it is at work."""
    with psycopg.connect(postgresql.url("systemd")) as connection:
        return connection.execute("SELECT 1 FROM live_servicebeat WHERE service = %s", [service]).fetchone() is not None


def answers(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=5) as response:
            return response.read().decode()
    except OSError:
        return ""


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    program = find_program("/usr/bin/systemd-analyze", "systemd")
    here = Here(tmp_path, {}, {})
    shutil.copytree(
        UNITS, tmp_path / "units", ignore=shutil.ignore_patterns("env.example", "nginx-site.conf", "attpcdaq-manage")
    )
    files = [path for path in (tmp_path / "units").iterdir() if path.is_file()]
    for path in files:
        path.write_text(here.put(path.read_text()))
    told = subprocess.run(
        [program, "verify", "--man=no", *files],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path / 'units'}:", "PATH": os.defpath},
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert len(files) == len(SERVICES) + 2


@pytest.mark.parametrize("name", SERVICES)
def test_every_unit_is_locked_in(name: str) -> None:
    unit = Unit(name)
    assert unit.one("User") == "attpcdaq"
    assert unit.one("EnvironmentFile") == "/etc/attpcdaq/env"
    assert [unit.one(key) for key in ("ProtectSystem", "NoNewPrivileges", "CapabilityBoundingSet")] == [
        "strict",
        "yes",
        "",
    ]
    lasting = unit.one("Type") != "oneshot"
    assert unit.values.get("Restart") == (["always"] if lasting else unit.values.get("Restart"))
    assert ("TimeoutStopSec" in unit.values) == lasting


def test_the_settings_of_the_example_exist() -> None:
    lines = (UNITS / "env.example").read_text().splitlines()
    names = [line.lstrip("#").split("=")[0] for line in lines if line.lstrip("#").startswith(PREFIX)]
    known = {PREFIX + name.upper() for name in Environment.model_fields}
    assert set(names) <= known
    assert len(names) == 12


@pytest.mark.parametrize("name", LASTING)
def test_a_process_works_and_ends_in_its_time(here: Here, postgresql: PostgreSQL, name: str) -> None:
    unit = Unit(name)
    service = BEATS.get(name, name.removeprefix("attpcdaq-"))
    started = Started(here, unit)
    with stopped_at_the_end(started.process):
        assert started.is_ready()
        started.process.wait_until(lambda: beats(postgresql, service) and started.process.says(SAY.get(name, "")), 60)
        port = {"web": here.ports["8001"], "events": here.ports["8002"]}.get(service)
        if port:
            started.process.wait_until(lambda: answers(port, "/health/live").startswith("alive"), 30)
        assert started.stop() < float(unit.one("TimeoutStopSec"))


def test_a_dump_is_made_and_copied_to_another_computer(here: Here, postgresql: PostgreSQL, sshd: Sshd) -> None:
    backup = Unit("attpcdaq-backup")
    name = end(here, backup, *backup.commands()).strip()
    dump = here.directory / "backups" / name
    listed = subprocess.run(
        ["pg_restore", "--list", dump], env=here.environment(backup), capture_output=True, text=True, check=True
    )
    assert "TABLE DATA public live_event " in listed.stdout
    assert beats(postgresql, "backup")
    offsite = Started(here, Unit("attpcdaq-offsite"))
    copy = sshd.files / "systemd" / name
    with stopped_at_the_end(offsite.process):
        offsite.process.wait_until(copy.exists, 30)
        assert offsite.stop() < 10
    assert copy.read_bytes() == dump.read_bytes()


def test_a_dump_that_fails_leaves_nothing_that_looks_like_one(here: Here) -> None:
    backup = Unit("attpcdaq-backup")
    before = set((here.directory / "backups").iterdir())
    environment = {**here.environment(backup), "PGDATABASE": "none_such"}
    failed = subprocess.run(here.command(backup.commands()[0]), env=environment, capture_output=True, text=True)
    assert failed.returncode == 1
    assert 'database "none_such" does not exist' in failed.stderr
    assert set((here.directory / "backups").iterdir()) == before


def test_verbs_have_the_settings_of_the_services(here: Here) -> None:
    lines = [f"{name}={here.put(value)}\n" for name, value in here.settings.items()]
    odd = "$HOME `id` 'quoted' & so on; for a secret of more than 32 characters"
    here.directory.joinpath("env").write_text("".join(["# a comment\n", *lines[1:], f"ATTPCDAQ_SECRET_KEY={odd}"]))
    script = (UNITS / "attpcdaq-manage").read_text()
    as_user = "setpriv --reuid=attpcdaq --regid=attpcdaq --init-groups --no-new-privs .venv/bin/python"
    assert as_user in script
    wrapper = here.directory / "attpcdaq-manage"
    wrapper.write_text(here.put(script.replace(as_user, "/opt/attpcdaq/.venv/bin/python")))
    words = ["sh", wrapper, "shell", "--no-imports", "-c", "from django.conf import settings as s; print(s.SECRET_KEY)"]
    told = subprocess.run(words, env={"PATH": os.defpath}, capture_output=True, text=True)
    assert (told.stdout, told.stderr) == (f"{odd}\n", "")


def test_nginx_stands_before_them(here: Here) -> None:
    site = here.put((UNITS / "nginx-site.conf").read_text())
    site = site.replace("listen 443 ssl", f"listen {LOOPBACK}:@PORT@ ssl")
    for folder in (here.directory, *here.directory.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    web = Started(here, Unit("attpcdaq-web"), "behind-nginx").process
    with stopped_at_the_end(web), running_nginx(framed(site)) as nginx:
        port = here.ports["8080"]
        web.wait_until(lambda: answers(port, "/health/live").startswith("alive"), 60)
        assert "Log in" in answers(port, "/login/")
        assert "<html" in answers(port, "/help/")
        secure = ["curl", "--silent", "--cacert", str(here.directory / "secrets/tls/ca.pem")]
        told = subprocess.run([*secure, f"https://localhost:{nginx.port}/health/live"], capture_output=True, text=True)
        assert told.stdout.startswith("alive"), told


def test_the_timer_goes_off_every_six_hours() -> None:
    program = find_program("/usr/bin/systemd-analyze", "systemd")
    when = (UNITS / "attpcdaq-backup.timer").read_text().split("OnCalendar=")[1].splitlines()[0]
    command = [program, "calendar", "--iterations=5", "--base-time=2026-11-23 00:00:00 UTC", when]
    told = subprocess.run(command, env={"TZ": "UTC", "LC_ALL": "C"}, capture_output=True, text=True, check=True)
    times = [line.rsplit(" ", 2)[1] for line in told.stdout.splitlines() if "UTC" in line and "From" not in line]
    assert times == ["00:15:00", "06:15:00", "12:15:00", "18:15:00", "00:15:00"]
