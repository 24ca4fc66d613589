"""From the previous release to this one; and back, when a migration fails."""

import re
from pathlib import Path

from tests.deploy import copies
from tests.deploy.check_backups import rows
from tests.deploy.door import Door
from tests.deploy.runner import Checks, expect, wait_for
from tests.deploy.stack import Stack

FAILING = """from django.db import migrations


def fail(apps, schema_editor):
    raise RuntimeError("this migration fails, to see what an upgrade does")


class Migration(migrations.Migration):
    dependencies = [("runlog", "{before}")]
    operations = [
        migrations.RunSQL("CREATE TABLE half_done (id integer)"),
        migrations.RunPython(fail),
    ]
"""
FAILS = Path("src/attpcdaq/runlog/migrations/9999_fails.py")
KEPT = ("runlog_experiment", "topology_eccserver", "auth_group")


def check_upgrade(checks: Checks, stack: Stack, new: Path) -> None:
    """`stack` lies in a copy of the previous release; `new` is a copy of this one, with a migration that fails."""
    old_version, new_version = copies.version_of(stack.root), copies.version_of(new)
    with checks(f"`up` of the previous release {old_version}", needed=True):
        stack.verb("up", "--simulator", seconds=600)
        stack.manage("role", "veteran", "expert", "--create")
    kept = _kept(stack)
    copies.replace_by(stack.root, new)
    with checks(f"`upgrade` to {new_version} with a migration that fails: {old_version} runs again, with its data"):
        said = stack.verb("upgrade", status=1, seconds=600)
        expect("this migration fails" in said or "half_done" in said, said[-1500:])
        expect(f"version {old_version} runs again with its data" in said, said[-1500:])
        expect(stack.container("web")["Config"]["Image"] == f"attpcdaq:{old_version}")
        for service in ("web", "events", "nginx"):
            wait_for(lambda name=service: stack.is_healthy(name), f"{service} to be healthy", 60)
        expect(_kept(stack) == kept)
        expect(stack.ask("SELECT to_regclass('half_done') IS NULL") == "t")
        expect(f"ATTPCDAQ_VERSION={old_version}" in (stack.root / ".env").read_text().split())
    (stack.root / FAILS).unlink()
    with checks(f"`upgrade` from {old_version} to {new_version}: dumped, migrated, restarted, nothing lost") as note:
        said = stack.verb("upgrade", seconds=600)
        dump = re.search(r"kept as (\S+\.dump)", said)
        expect(dump and Path(dump[1]).exists() and old_version in Path(dump[1]).name, said)
        live = Door(stack).get("/health/live")
        expect((live.status, new_version in live.text) == (200, True), live.text)
        expect(_kept(stack) == kept)
        note(f"dump {Path(dump[1]).name}")


def _kept(stack: Stack) -> dict[str, str]:
    """Whole tables may get columns, so rows are counted; who has an account is compared by name."""
    counts = {table: found.split()[0] for table, found in rows(stack).items() if table in KEPT}
    return counts | {"accounts": stack.ask("SELECT string_agg(username, ' ' ORDER BY username) FROM auth_user")}


def failing_migration(root: Path) -> None:
    """Put one into a copy, after all others."""
    last = max(path.stem for path in (root / FAILS).parent.glob("[0-9]*.py"))
    (root / FAILS).write_text(FAILING.format(before=last))
