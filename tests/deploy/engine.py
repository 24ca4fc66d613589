"""A Docker Engine with Compose: the one that answers, or one of our own for as long as the checks last."""

import fcntl
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tests.deploy import engine_programs
from tests.deploy.programs import NoEngine, output, succeeds

# Short: there are sockets below it, whose paths may have 107 characters.
PLACE = Path("/tmp/attpcdaq-engine")
LOCK = Path("/tmp/attpcdaq-engine.lock")
IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
UP_WITHIN = 90.0
DOWN_WITHIN = 60.0
OTHERS_WITHIN = 1800.0
RULES = {"iptables": "iptables-restore", "ip6tables": "ip6tables-restore"}


@contextmanager
def engine() -> Iterator[bool]:
    """Let `docker` and `docker compose` answer meanwhile; yields whether the engine is our own. NoEngine when not."""
    with _alone():
        if answers():
            yield False
            return
        engine_programs.check_possible()
        _own_environment()
        try:
            engine_programs.install(PLACE)
            _start()
            yield True
        finally:
            _stop()


def answers() -> bool:
    """Whether an engine and Compose 2 do."""
    return succeeds("docker", "info") and output("docker", "compose", "version", "--short").lstrip("v")[:1].isdigit()


def describe() -> str:
    """What answers, in one line."""
    version = output("docker", "version", "--format", "{{.Server.Version}}")
    driver = output("docker", "info", "--format", "{{.Driver}}, cgroup v{{.CgroupVersion}}")
    return f"Docker Engine {version} ({driver}), Compose {output('docker', 'compose', 'version', '--short')}"


@contextmanager
def _alone() -> Iterator[None]:
    """One test of the containers at a time on this machine: they would measure, and end, each other."""
    with _lock_file() as lock:
        deadline, said = time.monotonic() + OTHERS_WITHIN, False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise NoEngine(f"another test of the containers holds {LOCK}") from None
            if not said:
                print("Another test of the containers is running; this one begins when it is over.", flush=True)
                said = True
            time.sleep(0.5)  # between two looks at the lock
        yield


def _lock_file() -> TextIO:
    """Open for reading, which is enough: another user may have made it."""
    if not LOCK.exists():
        os.close(os.open(LOCK, os.O_CREAT | os.O_RDONLY, 0o644))
    return LOCK.open()


def _own_environment() -> None:
    _make_place()
    os.environ["DOCKER_HOST"] = f"unix://{PLACE}/run/docker.sock"
    os.environ["DOCKER_CONFIG"] = f"{PLACE}/config"
    os.environ["PATH"] = f"{PLACE}/bin:{os.environ['PATH']}"


def _make_place() -> None:
    """NoEngine when somebody else made it: what lies there is run as root."""
    PLACE.mkdir(mode=0o700, exist_ok=True)
    found = PLACE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid or found.st_mode & 0o022:
        raise NoEngine(f"{PLACE} is not root's own directory: remove it")


def _start() -> None:
    """Start the daemon, unless one of an earlier test that was killed still answers."""
    if not answers():
        _forget_dead_daemon()
        _remember_network()
        command = ["dockerd", "--data-root", f"{PLACE}/data", "--exec-root", f"{PLACE}/run/exec"]
        command += ["--pidfile", str(_pid_file()), "--host", os.environ["DOCKER_HOST"]]
        with (PLACE / "dockerd.log").open("w") as log:
            daemon = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        _wait_for(daemon)
    _remove_containers()


def _wait_for(daemon: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + UP_WITHIN
    while not answers():
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = (PLACE / "dockerd.log").read_text(errors="replace").splitlines()[-5:]
            raise NoEngine("dockerd did not come up; its last lines are:\n  " + "\n  ".join(last))
        time.sleep(0.2)  # between two looks


def _remove_containers() -> None:
    """What an earlier test left: its restart policy would bring it back for ever."""
    left = output("docker", "ps", "--all", "--quiet").split()
    if left:
        succeeds("docker", "rm", "--force", "--volumes", *left)
    succeeds("docker", "network", "prune", "--force")
    succeeds("docker", "volume", "prune", "--all", "--force")


def _pid_file() -> Path:
    return PLACE / "run/dockerd.pid"


def _daemon() -> int:
    """Its process id; 0 when there is none. A process id alone proves nothing: it may be another program's by now."""
    with suppress(OSError, ValueError):
        pid = int(_pid_file().read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        mine = str(_pid_file()) in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        return pid if mine and state != "Z" else 0
    return 0


def _forget_dead_daemon() -> None:
    if not _daemon():
        _pid_file().unlink(missing_ok=True)


def _remember_network() -> None:
    """What the daemon changes of this machine; not overwritten by a second start after a kill."""
    before = PLACE / "before"
    if before.exists():
        return
    making = PLACE / "before.new"
    making.mkdir(exist_ok=True)
    for program in RULES:
        (making / program).write_text(output(f"{program}-save"))
    (making / "ip_forward").write_text(IP_FORWARD.read_text())
    (making / "links").write_text("\n".join(_links()))
    making.rename(before)


def _stop() -> None:
    """End the daemon by its process id, and take back what it changed."""
    pid = _daemon()
    if pid:
        _remove_containers()
        os.kill(pid, 15)
        deadline = time.monotonic() + DOWN_WITHIN
        while _daemon() and time.monotonic() < deadline:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(0.1)  # between two looks
        if _daemon():
            os.kill(pid, 9)
    _forget_dead_daemon()
    _unmount()
    _restore_network()


def _unmount() -> None:
    """Nothing after a clean end."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in sorted((one for one in mounted if one.startswith(f"{PLACE}/")), reverse=True):
        succeeds("umount", path)


def _restore_network() -> None:
    before = PLACE / "before"
    if not before.exists():
        return
    known = (before / "links").read_text().split()
    for link in _links():
        if link not in known and link.startswith(("docker", "br-", "veth")):
            succeeds("ip", "link", "delete", link)
    for program, restore in RULES.items():
        rules = (before / program).read_text()
        subprocess.run([restore], input=rules or _nothing(program), text=True, check=False, capture_output=True)
    IP_FORWARD.write_text((before / "ip_forward").read_text())
    for path in before.iterdir():
        path.unlink()
    before.rmdir()


def _nothing(program: str) -> str:
    """No rules at all: how a machine was where nobody had asked for a table yet."""
    chains = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}
    tables = {name: found for name, found in chains.items() if succeeds(program, "-t", name, "-S")}
    return "".join(
        f"*{name}\n" + "".join(f":{chain} ACCEPT\n" for chain in found) + "COMMIT\n" for name, found in tables.items()
    )


def _links() -> list[str]:
    return sorted(path.name for path in Path("/sys/class/net").iterdir())
