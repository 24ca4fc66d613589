"""Dumps: made, restored into a running stack and into a fresh one, and copied nowhere by halves."""

import hashlib
import re
import time
from pathlib import Path

from tests.deploy import copies
from tests.deploy.crew import Crew
from tests.deploy.door import Api, Door
from tests.deploy.programs import Failed, must
from tests.deploy.runner import Checks, expect
from tests.deploy.stack import Stack

# What an experiment would miss. Other tables change by themselves while the system runs.
TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' "
    "AND (table_name LIKE 'runlog_%' OR table_name LIKE 'topology_%' OR table_name IN ('audit_entry', 'auth_group'))"
)
HALF = "/backup.sh once; echo status $?; ls -A /backups"


def rows(stack: Stack, upto_audit: int | None = None) -> dict[str, str]:
    """Table -> how many rows, and a digest of all of them."""
    found = {}
    for table in stack.ask(TABLES).split():
        where = f" WHERE id <= {upto_audit}" if table == "audit_entry" and upto_audit is not None else ""
        question = (
            f"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
        )
        found[table] = stack.ask(question + where)
    return found


def check_backup(checks: Checks, stack: Stack) -> tuple[Path, dict[str, str], int]:
    """The dump, the rows that must be in it, and the last line of the audit trail in it."""
    last = int(stack.ask("SELECT max(id) FROM audit_entry"))
    kept = rows(stack, last)
    with checks("`backup` makes a dump that names its version", needed=True) as note:
        said = stack.verb("backup")
        name = re.search(r"\S+\.dump", said)
        expect(name, said)
        dump = Path(name[0])
        version = copies.version_of(stack.root)
        expect(version in dump.name and f"version {version}" in said, said)
        expect(dump.stat().st_mode & 0o077 == 0, oct(dump.stat().st_mode))
        note(said.strip().splitlines()[-1])
    with checks("a dump that fails half-way (disk full) leaves no file that looks whole"):
        said = _on_a_full_disk(stack)
        expect("No space left" in said, said)
        expect("status 0" not in said and ".dump" not in re.sub(r"\.part", "", said.split("status")[1]), said)
    return dump, kept, last


def _on_a_full_disk(stack: Stack) -> str:
    container = stack.container("backup")
    words = ["docker", "run", "--rm", "--network", f"{stack.project}_inside", "--entrypoint", "bash"]
    for setting in container["Config"]["Env"]:
        words += ["--env", setting]
    words += [
        "--user",
        container["Config"]["User"],
        "--tmpfs",
        "/backups:size=64k,mode=1777",
        "--tmpfs",
        "/tmp:mode=1777",
    ]
    words += ["--volume", f"{stack.root}/deploy/backup.sh:/backup.sh:ro", container["Config"]["Image"], "-c", HALF]
    return must(*words, seconds=60)


def check_offsite(checks: Checks, stack: Stack, dump: Path) -> None:
    """A simulated node stands where the other computer would: it speaks SFTP and shows its host key."""
    with checks("dumps are copied to another computer over SFTP, whole"):
        simulator = stack.container("simulator")["Id"]
        must("docker", "network", "connect", "--alias", "simulator", f"{stack.project}_outside", simulator)
        stack.offsite("sftp://attpc@simulator:8022/config_backup")
        copy = f"/simulator/nodes/node-cobo0/config_backup/{dump.name}"
        there = stack.inside("simulator", "sha256sum", copy).split()[0]
        expect(there == hashlib.sha256(dump.read_bytes()).hexdigest(), there)


def check_restore_running(checks: Checks, stack: Stack, dump: Path, kept: dict[str, str], last: int) -> None:
    with checks("`restore` into the running stack: what came after the dump is gone, the rest is as it was") as note:
        stack.manage("role", "latecomer", "observer", "--create")
        said = stack.verb("restore", str(dump))
        note(_compare(kept, rows(stack, last)))
        expect("latecomer" not in stack.ask("SELECT username FROM auth_user"), "rows from after the dump")
        before = re.search(r"kept as (\S+\.dump)", said)
        expect(before and Path(before[1]).exists(), said)
    with checks("`restore` of a file that is no dump is refused, and changes nothing"):
        junk = stack.root / "no-dump.txt"
        junk.write_text("nothing of the kind")
        said = stack.verb("restore", str(junk), status=1)
        expect("no dump that can be read" in said, said)
        expect(_compare(kept, rows(stack, last)))


def check_restore_fresh(checks: Checks, stack: Stack, dump: Path, kept: dict[str, str], last: int) -> None:
    with checks("`restore` into a fresh stack, where nothing ran before") as note:
        began = time.monotonic()
        stack.verb("restore", str(dump), seconds=600)
        note(f"{time.monotonic() - began:.0f} s")
        note(_compare(kept, rows(stack, last)))


def check_runs(checks: Checks, stack: Stack, crew: Crew) -> None:
    with checks("the restored stack knows the runs, and the tokens of programs") as note:
        runs = Api(Door(stack), crew.api.token).get("/runs")
        note(f"{len(runs)} runs")
        expect(runs == crew.api.get("/runs"), runs)


def _compare(kept: dict[str, str], now: dict[str, str]) -> str:
    different = {table: (then, now.get(table)) for table, then in kept.items() if now.get(table) != then}
    if different:
        raise Failed("\n".join(f"{table}: {then} became {found}" for table, (then, found) in different.items()))
    return f"{len(kept)} tables with {sum(int(one.split()[0]) for one in kept.values())} rows are equal"
