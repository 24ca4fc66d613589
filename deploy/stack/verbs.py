"""The verbs by name."""

import backups
import docker
import keys
import start
import upgrading

# Also what was started with a profile is ended, and its logs shown.
EVERYTHING = ("--profile", "*")


def down() -> None:
    """End all containers and forget them; volumes, settings and secrets stay."""
    docker.check()
    docker.compose(*EVERYTHING, "down", "--remove-orphans")


def logs(services: list[str]) -> None:
    """The last lines, and those that follow, until Ctrl-C."""
    docker.check()
    docker.compose(*EVERYTHING, "logs", "--follow", "--tail", "100", *services)


VERBS = {
    "up": start.up,
    "down": down,
    "logs": logs,
    "backup": backups.backup,
    "restore": backups.restore,
    "upgrade": upgrading.upgrade,
    "renew-certificate": keys.renew,
}
