"""Keys and certificates, made in our image: the host needs neither OpenSSH nor OpenSSL."""

import os
import subprocess

import docker
import place
from trouble import Trouble


def make(*options: str) -> None:
    """Write what is missing of secrets/, and let the containers read it."""
    place.make_directory(place.SECRETS)
    user, group = place.owner()
    for path in place.SECRETS.rglob("*"):
        place.give_to_containers(path)
    words = ["docker", "run", "--rm", "--network", "none", "--user", f"{user}:{group}"]
    words += ["--volume", f"{place.SECRETS}:/secrets", f"attpcdaq:{place.setting('ATTPCDAQ_VERSION')}"]
    words += ["python", "manage.py", "make_secrets", "/secrets", *options, "--host", *place.hosts()]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"the keys in {place.SECRETS} cannot be made: {(done.stderr or done.stdout).strip()}")
    print(done.stdout.replace("/secrets/", f"{os.path.relpath(place.SECRETS)}/"), end="")


def renew() -> None:
    """A new server certificate, and whoever reads it started anew."""
    docker.check()
    place.settle()
    make("--renew")
    published = "compose.remote.yaml" in place.setting("COMPOSE_FILE")
    readers = ["nginx", "web", *(["db", "rabbitmq"] if published else [])]
    docker.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", *readers)


def first_admin() -> str:
    """An account to begin with and its one-time password, where there is none yet."""
    return docker.read("exec", "-T", "web", "python", "manage.py", "first_admin").strip()
