"""`upgrade`: from the version that runs to that of this copy, or back to where it was."""

from pathlib import Path

import database
import docker
import place
import start
from trouble import Trouble


def upgrade(force: bool) -> None:
    """Dump, build, migrate, restart. When any of it fails the old version runs again, with the data as they were."""
    docker.check()
    place.check_settings()
    old, new = place.setting("ATTPCDAQ_VERSION"), place.version()
    if old == new:
        raise Trouble(f"version {new} is what runs here: there is nothing to upgrade (`make up` starts it)")
    docker.compose("up", "--detach", "--wait", "--no-recreate", "db")
    if not force:
        database.check_no_run()
    kept = database.dump()
    print(f"The data of version {old} are kept as {kept}")
    place.complete_settings()
    with place.as_version(new):
        start.prepare()
        _stop_writers()
        try:
            docker.compose("run", "--rm", "--no-deps", "-T", "migrate")
            start.start()
        except (Trouble, KeyboardInterrupt) as error:
            _back(old, kept, error)
    place.change_setting("ATTPCDAQ_VERSION", new)
    start.remember()
    print(f"Upgraded from {old} to {new}.")
    start.welcome()


def _back(old: str, kept: Path, why: BaseException) -> None:
    """The data as they were, and the old containers."""
    print(f"Upgrading failed: {why}\nGoing back to {old} ...")
    _stop_writers()
    database.put_in_place(database.fill(kept))
    with place.as_version(old):
        stopped = [one["Service"] for one in docker.containers() if one["Image"] == f"attpcdaq:{old}"]
        if "web" in stopped:
            # Nothing was made anew yet: the very containers of before.
            docker.compose("start", *stopped)
        else:
            start.start_remembered()
    raise Trouble(
        f"the upgrade did not work; version {old} runs again with its data. What went wrong is above"
    ) from None


def _stop_writers() -> None:
    running = [one["Service"] for one in docker.containers() if one["State"] == "running"]
    writers = [service for service in database.WRITERS if service in running]
    # Without names Compose would stop everything.
    if writers:
        docker.compose("stop", *writers)
