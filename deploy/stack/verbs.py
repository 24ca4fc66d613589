"""The verbs by name."""

import docker
import start

# Also what was started with a profile is ended, and its logs shown.
EVERYTHING = ("--profile", "*")


def down() -> None:
    """End all containers and forget them; volumes, settings and secrets stay."""
    docker.check()
    docker.compose(*EVERYTHING, "down", "--remove-orphans")


def logs(services: list) -> None:
    """The last lines, and those that follow, until Ctrl-C."""
    docker.check()
    docker.compose(*EVERYTHING, "logs", "--follow", "--tail", "100", *services)


VERBS = {"up": start.up, "down": down, "logs": logs}
