"""`backup` and `restore`."""

import filecmp
import shutil
from pathlib import Path

import database
import docker
import place
import start
from trouble import Trouble


def backup() -> None:
    """Dump the database now."""
    docker.check()
    path = database.dump()
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB, version {database.version_in(path)})")


def restore(file: str, force: bool) -> None:
    """Put a dump in the place of the database, which is dumped before; all of it or nothing."""
    docker.check()
    path = _at_hand(Path(file))
    place.settle()
    start.prepare()
    docker.compose("up", "--detach", "--wait", "db")
    made_with = database.version_in(path)
    if place.is_newer(made_with, place.version()):
        raise Trouble(
            f"{path.name} was made by version {made_with}, this is {place.version()}: restore it with a newer copy"
        )
    if not force:
        database.check_no_run()
    fresh = database.fill(path)
    _exchange(fresh, force)
    print(f"Restored {path.name}, made by version {made_with}.")
    start.start()
    start.remember()
    start.welcome()


def _exchange(fresh: str, force: bool) -> None:
    """Nobody writes any more when the present database is dumped and the fresh one takes its place; or all go on."""
    stopped = database.stop_writers()
    try:
        if not force:
            # While the dump was read somebody may have begun a run.
            database.check_no_run()
        if database.has_tables():
            print(f"What was there before is kept as {database.dump()}")
        database.put_in_place(fresh)
    except (Trouble, KeyboardInterrupt):
        database.drop(fresh)
        if stopped:
            docker.compose("start", *stopped)
        raise


def _at_hand(path: Path) -> Path:
    """The dump where the containers see it."""
    if not path.is_file():
        known = sorted(one.name for one in place.backups().glob("*.dump"))[-5:]
        raise Trouble(f"there is no file {path}; the newest in {place.backups()} are: {', '.join(known) or 'none'}")
    target = place.make_directory(place.backups()) / path.name
    if not target.exists():
        # Whoever copies the dumps elsewhere takes every file that has its name.
        half = target.with_name(f".{target.name}.part")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        shutil.copyfile(path, half)
        half.rename(target)
    elif not filecmp.cmp(path, target, shallow=False):
        raise Trouble(f"{target} exists and is another file: rename yours")
    place.give_to_containers(target)
    return target
