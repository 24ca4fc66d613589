"""Docker's programs out of Debian's packages, unpacked beside the system: nothing starts, nothing is configured."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.deploy.programs import NoEngine, output, succeeds

# The suite with an engine, Compose 2 and BuildKit. Its binaries run on the release before it as well.
SUITE = "trixie"
# Of this machine's own release: runc is bound to its C library.
PROGRAM_OF = {"runc": "runc", "iptables": "iptables-save", "mmdebstrap": "mmdebstrap"}
UNPACKED = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd", "tini")
PROGRAMS = {
    "usr/sbin/dockerd": "dockerd",
    "usr/sbin/docker-proxy": "docker-proxy",
    "usr/bin/docker": "docker",
    "usr/bin/containerd": "containerd",
    "usr/bin/containerd-shim-runc-v2": "containerd-shim-runc-v2",
    "usr/bin/tini-static": "docker-init",
}
PLUGINS = "usr/libexec/docker/cli-plugins"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=600", "-qq")


def check_possible() -> None:
    """NoEngine unless an engine can be started here."""
    if os.geteuid():
        raise NoEngine("no Docker Engine answers, and only root can start one")
    if not shutil.which("apt-get") or not KEYRING.exists():
        raise NoEngine("no Docker Engine answers, and one is made out of packages on Debian only")


def mirror() -> str:
    """From where this machine takes its packages, by its own sources; NoEngine when it has none of Debian's."""
    if not _lists():
        succeeds(*APT, "update")
    for line in _lists():
        address, component, origin = [*line.split(), "", ""][:3]
        if origin == "Debian" and component == "main" and "security" not in address:
            return address.rstrip("/")
    raise NoEngine("no Docker Engine answers, and this machine's sources of packages name no mirror of Debian")


def _lists() -> list[str]:
    return output(
        "apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"
    ).splitlines()


def install(place: Path) -> None:
    """Let all programs lie in `place`/bin and `place`/config; what is there already is kept."""
    began = time.monotonic()
    (place / "run").mkdir(parents=True, exist_ok=True)
    need("runc", "iptables")
    if not (place / "bin/complete").exists():
        _unpack(place)
    print(f"Docker's programs are in {place} ({time.monotonic() - began:.0f} s)", flush=True)


def need(*packages: str) -> None:
    """Install with apt what is not here; none of them starts anything."""
    missing = [package for package in packages if not shutil.which(PROGRAM_OF[package])]
    if missing:
        check_possible()
        succeeds(*APT, "update")
        _run([*APT, "install", "-y", "--no-install-recommends", *missing], {"DEBIAN_FRONTEND": "noninteractive"})


def _unpack(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place) as name:
        work = Path(name)
        environment = {"APT_CONFIG": str(_apt_of_its_own(work))}
        _run(["apt-get", "-qq", "update"], environment)
        _run(["apt-get", "-qq", "download", *(f"{one}/{SUITE}" for one in UNPACKED)], environment, work)
        for package in work.glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(package), str(work / "root")])
        (place / "bin").mkdir(exist_ok=True)
        for source, target in PROGRAMS.items():
            shutil.copy2(work / "root" / source, place / "bin" / target)
        shutil.copytree(work / "root" / PLUGINS, place / "config/cli-plugins", dirs_exist_ok=True)
    (place / "bin/complete").touch()


def _apt_of_its_own(work: Path) -> Path:
    """A configuration with lists and caches in `work`, so that this machine's apt keeps its own."""
    for folder in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "etc/sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n")
    lines = {
        "Dir::Etc": work / "etc",
        "Dir::Etc::SourceList": work / "etc/sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::Etc::Parts": work / "etc/apt.conf.d",
        "Dir::Etc::PreferencesParts": work / "etc/preferences.d",
        "Dir::State": work / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    path = work / "apt.conf"
    path.write_text("".join(f'{key} "{value}";\n' for key, value in lines.items()))
    return path


def _run(command: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise NoEngine(f"no Docker Engine answers, and one cannot be installed: `{' '.join(command[:4])}`: {last}")
