"""In which order everything is checked, and what is brought up for it."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.deploy import check_backups, check_bad_days, check_first_steps, check_main_job, check_upgrade, copies
from tests.deploy.crew import Crew
from tests.deploy.door import Browser
from tests.deploy.images import provide
from tests.deploy.programs import Failed, succeeds
from tests.deploy.runner import Checks
from tests.deploy.stack import Stack, end_group, in_background

UPGRADE = "upgrade"
# Only the layers of these images are of use.
AHEAD = "0.ahead"


class World:
    """Copies, stacks and images of one test; all of it is gone afterwards."""

    def __init__(self, checks: Checks, place: Path, own_engine: bool, commit: str | None) -> None:
        self.checks, self.place, self.own_engine = checks, place, own_engine
        # HEAD may move meanwhile.
        self.commit = copies.resolve(commit) if commit else None
        self.stacks: list[Stack] = []
        self.images = {f"attpcdaq:{AHEAD}", f"attpcdaq-nginx:{AHEAD}"}
        self.building: subprocess.Popen[bytes] | None = None
        checks.evidence = self._evidence

    def copy(self, name: str) -> Path:
        """This version of the project, as a clone has it."""
        target = self.place / name
        return copies.commit(self.commit, target) if self.commit else copies.working_tree(target)

    def stack(self, root: Path, name: str) -> Stack:
        """One that is removed at the end, with its images."""
        version = copies.version_of(root)
        self.images |= {f"attpcdaq:{version}", f"attpcdaq-nginx:{version}"}
        stack = Stack(root, f"attpcdaq-test-{os.getpid()}-{name}")
        self.stacks.append(stack)
        return stack

    def build_ahead(self, *roots: Path) -> None:
        """Begin to build what an upgrade will need: its verbs find the layers made. A failure is theirs to report."""
        names = ("ATTPCDAQ_SECRET_KEY", "POSTGRES_PASSWORD", "RABBITMQ_PASSWORD")
        script = " && ".join(f"cd {root} && docker compose --progress quiet build" for root in roots)
        self.building = in_background("sh", "-c", script, **dict.fromkeys(names, "-"), ATTPCDAQ_VERSION=AHEAD)

    def wait_for_builds(self) -> None:
        if self.building:
            self.building.wait()

    def remove(self, stack: Stack) -> None:
        stack.remove()
        self.stacks.remove(stack)

    def tidy_up(self) -> None:
        if self.building:
            end_group(self.building)
        for stack in list(self.stacks):
            with contextlib.suppress(Failed):
                self.remove(stack)
        for image in self.images:
            succeeds("docker", "rmi", image)
        if self.own_engine:
            succeeds("docker", "image", "prune", "--force")

    def _evidence(self) -> str:
        return "\n".join(stack.words() for stack in self.stacks[-1:])


def first_steps(world: World) -> tuple[Stack, Browser]:
    """The stack that the other parts use, and the admin's browser."""
    checks = world.checks
    root = world.copy("daq")
    with checks("the images that the stack is made from are here", needed=True) as note:
        for image in provide(root, world.own_engine):
            if image.standin:
                print(f"              {image.name} is a STAND-IN: {image.standin}", flush=True)
            else:
                note(image.name)
    stack = world.stack(root, "main")
    version = copies.version_of(root)
    password = check_first_steps.check_up(checks, stack)
    check_first_steps.check_memory(checks, stack, "idle")
    check_first_steps.check_kept_secret(checks, stack)
    check_first_steps.check_images(checks, stack, version)
    check_first_steps.check_doors(checks, stack)
    browser = check_first_steps.check_log_in(checks, stack, password)
    check_first_steps.check_health(checks, stack, version)
    return stack, browser


def main_job(world: World, stack: Stack, browser: Browser) -> Crew:
    crew = check_main_job.check_simulator(world.checks, stack)
    check_main_job.check_run(world.checks, stack, crew, browser)
    check_first_steps.check_memory(world.checks, stack, f"with {check_main_job.SERVERS} servers after a run")
    return crew


def kills(world: World, stack: Stack, crew: Crew) -> None:
    check_main_job.check_kills(world.checks, stack, crew)


def backups(world: World, stack: Stack, crew: Crew) -> None:
    dump, kept, last = check_backups.check_backup(world.checks, stack)
    check_backups.check_offsite(world.checks, stack, dump)
    check_backups.check_restore_running(world.checks, stack, dump, kept, last)
    fresh = world.stack(world.copy("fresh"), "fresh")
    check_bad_days.check_port_taken(world.checks, fresh)
    check_backups.check_restore_fresh(world.checks, fresh, dump, kept, last)
    check_backups.check_runs(world.checks, fresh, crew)
    world.remove(fresh)


def bad_days(world: World, stack: Stack, crew: Crew) -> None:
    check_bad_days.check_database_away(world.checks, stack)
    runs = stack.ask("SELECT count(*) FROM runlog_run")
    look_at_migrations = check_bad_days.check_not_migrated(world.checks, stack)
    check_bad_days.check_expired_certificate(world.checks, stack)
    look_at_migrations()
    check_bad_days.check_wrong_password(world.checks, stack)
    check_bad_days.check_down_and_up(world.checks, stack, runs)


SEQUENCE: dict[str, Callable[[World, Stack, Crew], None]] = {"kills": kills, "backups": backups, "bad-days": bad_days}


def run(world: World, only: list[str] | None) -> None:
    """Everything, or a part of it with what it stands on."""
    wanted = only or [*SEQUENCE, UPGRADE]
    others = [name for name in SEQUENCE if name in wanted]
    if others:
        stack, browser = first_steps(world)
    else:
        provide(world.copy("daq"), world.own_engine)
    old, new = (world.place / "previous", world.place / "new") if UPGRADE in wanted else (None, None)
    if old and new:
        _prepare_upgrade(world, old, new)
    if others:
        crew = main_job(world, stack, browser)
        for name in others:
            world.checks.headline(name)
            SEQUENCE[name](world, stack, crew)
        world.remove(stack)
    if old and new:
        world.checks.headline(UPGRADE)
        world.wait_for_builds()
        previous = world.stack(old, "upgrade")
        check_upgrade.check_upgrade(world.checks, previous, new)
        world.remove(previous)


def _prepare_upgrade(world: World, old: Path, new: Path) -> None:
    """The previous release, and this one with a migration that fails, are built while other checks wait."""
    copies.commit(copies.previous_release(), old)
    world.copy("new")
    check_upgrade.failing_migration(new)
    world.build_ahead(old, new)
