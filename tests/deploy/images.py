"""The official images that the stack is made from: here already, else pulled, else a stand-in."""

import hashlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.programs import Failed, must, output
from tests.deploy.standin_base import STANDINS, make_base

LABEL = "attpcdaq.stand-in"
VERSION_OF = {
    "python": "python --version",
    "postgres": "postgres --version",
    "rabbitmq": "dpkg-query --showformat 'rabbitmq-server ${Version}' --show rabbitmq-server",
    "nginx": "nginx -v 2>&1",
}
OURS = re.compile(r"attpcdaq(-\w+)?:")


@dataclass(frozen=True)
class Image:
    """An image that is at hand, and what it really is: empty unless it is a stand-in."""

    name: str
    standin: str


def provide(project: Path, own_engine: bool) -> list[Image]:
    """Every image that the project's compose file and Dockerfile name."""
    names = named(project)
    missing = [name for name in names if not _is_up_to_date(name)]
    to_make = [name for name in missing if not _pull(name, own_engine)]
    if to_make:
        base = make_base()
        # Unpacking packages is half of it, waiting for them the other half.
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: _make(name, base), to_make))
    return [Image(name, _version(name) if _recipe_of(name) else "") for name in names]


def named(project: Path) -> list[str]:
    """Images that are not built here; the first is that of Python, which others wait for."""
    compose = re.findall(r"^\s*image:\s*(\S+)", (project / "compose.yaml").read_text(), re.MULTILINE)
    dockerfile = re.findall(
        r"^(?:ARG \w+=|FROM )([a-z][\w./-]*:[\w.-]+)", (project / "Dockerfile").read_text(), re.MULTILINE
    )
    return [name for name in dict.fromkeys([*dockerfile, *compose]) if not OURS.match(name)]


def _recipe_of(name: str) -> str:
    """Of which recipe a stand-in was made; empty for any other image, and for none."""
    return output("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name)


def _is_up_to_date(name: str) -> bool:
    """An official image always is: it is never replaced."""
    here = output("docker", "image", "inspect", "--format", "{{.Id}}", name)
    return bool(here) and _recipe_of(name) in ("", _recipe(name))


def _pull(name: str, own_engine: bool) -> bool:
    """Whether it came from a registry. Where our own engine had to be started there is none."""
    if own_engine or _recipe_of(name):
        return False
    if not _answers_in_time(30, "docker", "manifest", "inspect", name):
        return False
    if not _answers_in_time(900, "docker", "pull", "--quiet", name):
        return False
    print(f"{name} was pulled", flush=True)
    return True


def _answers_in_time(seconds: float, *command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _make(name: str, base: str) -> None:
    folder = STANDINS / _repository(name)
    if not folder.is_dir():
        raise Failed(f"{name} cannot be pulled, and there is no stand-in for it in {STANDINS}")
    must(
        "docker", "build", "--quiet", "--tag", name, "--build-arg", f"BASE={base}",
        "--label", f"{LABEL}={_recipe(name)}", str(folder), seconds=900,
    )  # fmt: skip


def _version(name: str) -> str:
    command = VERSION_OF[_repository(name)]
    return must("docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", name, "-c", command).strip()


def _repository(name: str) -> str:
    return name.partition(":")[0]


def _recipe(name: str) -> str:
    """Changes with what we wrote for it."""
    files = [STANDINS / "get-packages", *sorted((STANDINS / _repository(name)).rglob("*"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files if path.is_file())).hexdigest()[:16]
