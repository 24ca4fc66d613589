"""The processes of the product as command lines, and the settings with which a demo starts them."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from attpcdaq.demo.place import Place, write_private

ROOT = Path(__file__).resolve().parents[3]
GUNICORN_CONF = ROOT / "deploy" / "gunicorn.conf.py"
PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV")


def web(bind: str, *, service: str = "both") -> list[str]:
    """Gunicorn at `bind` (host:port) as `web` (pages, API), `events` (event stream), or `both` on the one port."""
    command = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF), "--bind", bind]
    if service == "web":
        return [*command, "--worker-class", "gthread", "--threads", "8", "attpcdaq.config.wsgi"]
    if service == "both":
        command += ["--env", "ATTPCDAQ_SERVICE=both"]
    return [*command, "--worker-class", "asgi", "attpcdaq.config.asgi"]


def celery(queues: str = "control,files", threads: int = 6) -> list[str]:
    """A worker for these queues."""
    app = ["--app", "attpcdaq.config.celery", "--quiet", "--skip-checks"]
    command = [sys.executable, "-m", "celery", *app, "worker"]
    options = ["--pool", "threads", "--concurrency", str(threads), "--queues", queues, "--loglevel", "INFO"]
    # One worker has nobody to talk to.
    return [*command, *options, "--without-gossip", "--without-mingle", "--without-heartbeat"]


def monitor() -> list[str]:
    """The process that reads the hardware; Django's checks would load all the pages, and `web` makes them."""
    return management("monitor", "--skip-checks")


def management(*words: str) -> list[str]:
    """`manage.py` followed by `words`."""
    return [sys.executable, str(ROOT / "manage.py"), *words]


def simulator(place: Place) -> list[str]:
    """The detector; the product knows it only by its sockets."""
    command = [sys.executable, "-m", "get_simulator", str(place.description)]
    return [*command, "--data", str(place.root), "--announce", str(place.announce)]


def environment(place: Place, port: int) -> dict[str, str]:
    """Settings of every process of the demo; what this terminal says of another system is left out."""
    return {
        **_inherited(os.environ),
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "PYTHONUNBUFFERED": "1",
        # Each thread would reserve memory of its own otherwise.
        "MALLOC_ARENA_MAX": "2",
        "ATTPCDAQ_SECRET_KEY": _secret_key(place),
        "ATTPCDAQ_DATABASE_URL": f"sqlite:///{place.database}",
        "ATTPCDAQ_BROKER_URL": f"filesystem://{place.broker}",
        # Browsers keep cookies by host, whatever the port: two demos must not log each other out.
        "ATTPCDAQ_COOKIE_PREFIX": f"attpcdaq_{port}",
        "ATTPCDAQ_SSH_USER": "attpc",
    }


def node_access(place: Place) -> dict[str, str]:
    """Settings that name files which exist once the simulator runs."""
    return {"ATTPCDAQ_SSH_KEY": str(place.ssh_key), "ATTPCDAQ_SSH_KNOWN_HOSTS": str(place.known_hosts)}


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PASSED_ON if name in environ}


def _secret_key(place: Place) -> str:
    if not place.secret_key.exists():
        write_private(place.secret_key, secrets.token_urlsafe(48))
    return place.secret_key.read_text(encoding="ascii")
