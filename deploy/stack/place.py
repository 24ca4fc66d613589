"""What lies beside compose.yaml: .env with the settings, secrets/ with keys, and the version of this copy."""

import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trouble import Trouble

ROOT = Path(os.environ.get("ATTPCDAQ_ROOT") or Path(__file__).resolve().parents[2])
ENV = ROOT / ".env"
SECRETS = ROOT / "secrets"
CONTAINER_USER = 10001
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")


def version() -> str:
    """The version of this copy of the project."""
    found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Trouble("pyproject.toml names no version: this copy of the project is not whole")
    return found.group(1)


def settings() -> dict[str, str]:
    """What .env says; empty without one."""
    if not ENV.exists():
        return {}
    matches = (LINE.match(line) for line in ENV.read_text(encoding="utf-8").splitlines())
    return {match.group(1): match.group(2).strip("'\"") for match in matches if match}


def setting(name: str, default: str = "") -> str:
    """As Compose sees it: this shell's environment counts more than .env."""
    return os.environ.get(name) or settings().get(name) or default


def write_settings() -> bool:
    """Make .env with generated secrets if there is none; whether it was made."""
    if ENV.exists():
        return False
    write_private(ENV, "".join(f"{name}={value}\n" for name, value in _first_settings().items()))
    return True


def complete_settings() -> None:
    """What a newer version needs and .env does not say yet."""
    known = settings()
    for name, value in _first_settings().items():
        if name not in known:
            change_setting(name, str(value))


def _first_settings() -> dict[str, object]:
    # A container never runs as root: then the files it reads are given to its own user.
    user, group = (os.getuid(), os.getgid()) if os.getuid() else (CONTAINER_USER, CONTAINER_USER)
    names = [name.lower() for name in (socket.gethostname(), socket.getfqdn()) if HOST.fullmatch(name)]
    return {
        "ATTPCDAQ_VERSION": version(),
        "ATTPCDAQ_SECRET_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "RABBITMQ_PASSWORD": secrets.token_urlsafe(24),
        "ATTPCDAQ_ALLOWED_HOSTS": ",".join(dict.fromkeys(["127.0.0.1", "localhost", *names])),
        "ATTPCDAQ_UID": user,
        "ATTPCDAQ_GID": group,
    }


def change_setting(name: str, value: str) -> None:
    """Put one line of .env right, in one step."""
    lines = [line for line in ENV.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{name}=")]
    write_private(ENV, "\n".join([*lines, f"{name}={value}", ""]))


def hosts() -> list[str]:
    """Names and addresses under which browsers reach this computer."""
    return [name for name in setting("ATTPCDAQ_ALLOWED_HOSTS").split(",") if HOST.fullmatch(name)]


def backups() -> Path:
    """Where the dumps are."""
    return (ROOT / setting("ATTPCDAQ_BACKUPS", "backups")).absolute()


@contextmanager
def as_version(version: str) -> Iterator[None]:
    """Meanwhile Compose takes the images of this version, whatever .env says."""
    before = os.environ.get("ATTPCDAQ_VERSION")
    os.environ["ATTPCDAQ_VERSION"] = version
    try:
        yield
    finally:
        del os.environ["ATTPCDAQ_VERSION"]
        if before is not None:
            os.environ["ATTPCDAQ_VERSION"] = before


def add_profile(name: str) -> None:
    """From now on Compose starts the services of this profile too."""
    profiles = [one for one in settings().get("COMPOSE_PROFILES", "").split(",") if one]
    if name not in profiles:
        change_setting("COMPOSE_PROFILES", ",".join([*profiles, name]))


def check_settings() -> None:
    """Nobody else may read .env."""
    if not ENV.exists():
        raise Trouble("there is no .env here: nothing runs yet (`make up` begins)")
    if ENV.stat().st_mode & 0o077:
        raise Trouble(f"{ENV} holds passwords and may be read by others: chmod 600 {ENV}")


def owner() -> tuple[int, int]:
    """User and group of our containers."""
    return int(setting("ATTPCDAQ_UID", str(CONTAINER_USER))), int(setting("ATTPCDAQ_GID", str(CONTAINER_USER)))


def make_directory(path: Path) -> Path:
    """A directory for our containers alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    give_to_containers(path)
    return path


def give_to_containers(path: Path) -> None:
    """Let the containers read what nobody else may read."""
    if os.getuid() == 0:
        os.chown(path, *owner())


def write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
