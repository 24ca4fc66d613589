"""`backup` and `restore`."""

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
    place.write_settings()
    start.prepare()
    docker.compose("up", "--detach", "--wait", "db")
    made_with = database.version_in(path)
    if _newer(made_with):
        raise Trouble(
            f"{path.name} was made by version {made_with}, this is {place.version()}: restore it with a newer copy"
        )
    if not force:
        database.check_no_run()
    if database.has_tables():
        print(f"What was there before is kept as {database.dump()}")
    fresh = database.fill(path)
    docker.compose("stop", *database.WRITERS)
    database.put_in_place(fresh)
    print(f"Restored {path.name}, made by version {made_with}.")
    start.start()
    start.welcome()


def _at_hand(path: Path) -> Path:
    """The dump where the containers see it."""
    if not path.is_file():
        known = sorted(one.name for one in place.backups().glob("*.dump"))[-5:]
        raise Trouble(f"there is no file {path}; the newest in {place.backups()} are: {', '.join(known) or 'none'}")
    target = place.make_directory(place.backups()) / path.name
    if not target.exists():
        shutil.copyfile(path, target)
        target.chmod(0o600)
        place.give_to_containers(target)
    elif not target.samefile(path):
        raise Trouble(f"{target} exists and is another file: rename yours")
    return target


def _newer(version: str) -> bool:
    return _numbers(version) > _numbers(place.version())


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
