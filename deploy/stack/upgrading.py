"""`upgrade`: from the version that runs to that of this copy, or back to where it was."""

from pathlib import Path

import database
import docker
import place
import start
from trouble import Trouble


def upgrade(force: bool) -> None:
    """Build, dump, migrate, restart. When any of it fails the old version runs again, with the data as they were."""
    docker.check()
    place.check_settings()
    old, new = place.setting("ATTPCDAQ_VERSION"), place.version()
    _check_order(old, new)
    docker.compose("up", "--detach", "--wait", "--no-recreate", "db")
    if not force:
        database.check_no_run()
    place.complete_settings()
    with place.as_version(new):
        start.prepare()
    kept = _stop_and_keep(old, force)
    try:
        database.note_upgrade(kept)
        with place.as_version(new):
            docker.compose("run", "--rm", "--no-deps", "-T", "migrate")
        # Now the tables are the new version's: after a power cut `up` goes on from here.
        place.change_setting("ATTPCDAQ_VERSION", new)
        with place.as_version(new):
            start.start()
    except (Trouble, KeyboardInterrupt) as error:
        _back(old, kept, error)
    start.remember()
    print(f"Upgraded from {old} to {new}.")
    start.welcome()


def _check_order(old: str, new: str) -> None:
    if old == new:
        raise Trouble(f"version {new} is what runs here: there is nothing to upgrade (`make up` starts it)")
    if place.is_newer(old, new):
        raise Trouble(
            f"version {old} runs here and this copy is older, {new}: docs/deployment.md tells the way back (Upgrade)"
        )


def _stop_and_keep(old: str, force: bool) -> Path:
    """A dump of everything: nobody writes any more when it is made. When it cannot be made they go on."""
    if not force:
        database.check_no_run()
    stopped = database.stop_writers()
    try:
        if not force:
            # Somebody was quicker than the stopping.
            database.check_no_run()
        kept = database.dump()
        print(f"The data of version {old} are kept as {kept}")
        cut_off = None if stopped else database.kept_before(old)
    except (Trouble, KeyboardInterrupt):
        if stopped:
            docker.compose("start", *stopped)
        raise
    if cut_off:
        print(f"An upgrade was cut off here: if this one fails too, the data will be those before it, {cut_off}")
    return cut_off or kept


def _back(old: str, kept: Path, why: BaseException) -> None:
    """The data as they were, and the old containers."""
    print(f"Upgrading failed: {str(why) or 'interrupted'}\nGoing back to {old} ...")
    try:
        place.change_setting("ATTPCDAQ_VERSION", old)
        database.stop_writers()
        database.put_in_place(database.fill(kept))
        _start_old(old)
    except (Trouble, KeyboardInterrupt) as error:
        raise Trouble(
            f"going back to {old} did not work either: {str(error) or 'interrupted'}. "
            f"Its data are in {kept}: mend that, check out version {old}, and `make restore FILE={kept}`"
        ) from None
    raise Trouble(
        f"the upgrade did not work; version {old} runs again with its data. What went wrong is above"
    ) from None


def _start_old(old: str) -> None:
    there = docker.containers()
    made_anew = any(one["Image"].endswith(f":{place.version()}") for one in there)
    with place.as_version(old):
        if made_anew or not any(one["Service"] == "web" for one in there):
            start.start_remembered()
        else:
            # The very containers of before.
            ours = (one for one in there if one["Image"] == f"attpcdaq:{old}" or one["Service"] in database.WRITERS)
            docker.compose("start", *(one["Service"] for one in ours))
