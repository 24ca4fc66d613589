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
# A line as Compose reads it: quotes are taken off, and a comment after white space.
LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
    (?: '(?P<single>[^']*)' | "(?P<double>[^"]*)" | (?P<plain>(?:(?<!\s)\#|[^#])*) )\s*(?:\#.*)?$""",
    re.VERBOSE,
)


def version() -> str:
    """The version of this copy of the project."""
    found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Trouble("pyproject.toml names no version: this copy of the project is not whole")
    return found.group(1)


def is_newer(version: str, than: str) -> bool:
    """Whether one version comes after another."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def settings() -> dict[str, str]:
    """What .env says; empty without one."""
    matches = (LINE.match(line) for line in _lines())
    return {match["name"]: _value(match) for match in matches if match}


def _lines() -> list[str]:
    try:
        return ENV.read_text(encoding="utf-8-sig").splitlines() if ENV.exists() else []
    except UnicodeDecodeError as error:
        raise Trouble(f"{ENV} is no text in UTF-8 (byte {error.start}): write that place anew") from None


def _value(match: re.Match[str]) -> str:
    quoted = match["single"] if match["single"] is not None else match["double"]
    return match["plain"].strip() if quoted is None else quoted


def setting(name: str, default: str = "") -> str:
    """As Compose sees it: this shell's environment counts more than .env."""
    return os.environ.get(name) or settings().get(name) or default


def settle() -> None:
    """The settings are there, for nobody else to read, and those of this copy's version."""
    if ENV.exists():
        check_settings()
        running = setting("ATTPCDAQ_VERSION", version())
        if running != version():
            raise Trouble(f"what runs here is version {running}, this copy is {version()}: use `make upgrade`")
    else:
        write_private(ENV, "")
    complete_settings()


def complete_settings() -> None:
    """What .env does not say yet: generated secrets, and what a newer version needs."""
    known = settings()
    for name, value in _first_settings().items():
        if not known.get(name):
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
    others = (line for line in _lines() if (match := LINE.match(line)) is None or match["name"] != name)
    write_private(ENV, "\n".join([*others, f"{name}={value}", ""]))


def hosts() -> list[str]:
    """Names and addresses under which browsers reach this computer."""
    names = (name.strip() for name in setting("ATTPCDAQ_ALLOWED_HOSTS").split(","))
    return [name for name in names if HOST.fullmatch(name)] or ["127.0.0.1", "localhost"]


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
    return _number("ATTPCDAQ_UID"), _number("ATTPCDAQ_GID")


def _number(name: str) -> int:
    text = setting(name, str(CONTAINER_USER))
    if not (text.isascii() and text.isdigit()):
        raise Trouble(f"{name}={text} in {ENV} is not the number of a user or group (`id -u`, `id -g`)")
    return int(text)


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
        if path.exists() and os.getuid() == 0:
            # Whose it was may go on reading it without `sudo`.
            os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
    temporary.replace(path)
