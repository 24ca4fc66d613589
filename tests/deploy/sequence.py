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
from tests.deploy.stack import Stack, in_background


class World:
    """Copies, stacks and images of one test; all of it is gone afterwards."""

    def __init__(self, checks: Checks, place: Path, own_engine: bool, commit: str | None) -> None:
        self.checks, self.place, self.own_engine, self.commit = checks, place, own_engine, commit
        self.stacks: list[Stack] = []
        self.images: set[str] = set()
        self.building: subprocess.Popen[str] | None = None
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

    def build_previous(self, root: Path) -> None:
        """Begin to build it; it needs no care meanwhile."""
        names = ("ATTPCDAQ_SECRET_KEY", "POSTGRES_PASSWORD", "RABBITMQ_PASSWORD")
        settings = dict.fromkeys(names, "only-to-build") | {"ATTPCDAQ_VERSION": copies.version_of(root)}
        self.building = in_background("docker", "compose", "--progress", "plain", "build", cwd=root, **settings)

    def remove(self, stack: Stack) -> None:
        stack.remove()
        self.stacks.remove(stack)

    def tidy_up(self) -> None:
        if self.building:
            self.building.terminate()
            self.building.communicate()
        for stack in list(self.stacks):
            with contextlib.suppress(Failed):
                self.remove(stack)
        for image in self.images:
            succeeds("docker", "rmi", image)
        succeeds("docker", "image", "prune", "--force")

    def _evidence(self) -> str:
        return "\n".join(stack.words() for stack in self.stacks)


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
    check_backups.check_restore_running(world.checks, stack, dump, kept, last)
    fresh = world.stack(world.copy("fresh"), "fresh")
    check_bad_days.check_port_taken(world.checks, fresh)
    check_backups.check_restore_fresh(world.checks, fresh, dump, kept, last, crew.api.token)
    world.remove(fresh)


def bad_days(world: World, stack: Stack, crew: Crew) -> None:
    check_bad_days.check_database_away(world.checks, stack)
    check_bad_days.check_not_migrated(world.checks, stack)
    check_bad_days.check_expired_certificate(world.checks, stack)
    check_bad_days.check_wrong_password(world.checks, stack)
    check_bad_days.check_down_and_up(world.checks, stack, str(len(crew.api.get("/runs"))))


SEQUENCE: dict[str, Callable[[World, Stack, Crew], None]] = {"kills": kills, "backups": backups, "bad-days": bad_days}
UPGRADE = "upgrade"


def run(world: World, only: list[str] | None) -> None:
    """Everything, or a part of it with what it stands on."""
    wanted = only or [*SEQUENCE, UPGRADE]
    old = copies.commit(copies.previous_release(), world.place / "previous") if UPGRADE in wanted else None
    if set(wanted) != {UPGRADE}:
        stack, browser = first_steps(world)
        crew = main_job(world, stack, browser)
        for name, part in SEQUENCE.items():
            if name in wanted:
                world.checks.headline(name)
                part(world, stack, crew)
        world.remove(stack)
    else:
        provide(world.copy("daq"), world.own_engine)
    if old is not None:
        world.checks.headline(UPGRADE)
        previous = world.stack(old, "upgrade")
        check_upgrade.check_upgrade(world.checks, previous, world.copy("new"))
        world.remove(previous)
