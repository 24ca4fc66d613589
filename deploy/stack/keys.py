"""The key with which the nodes are reached, and the first account."""

import docker
import place

FILES = ("ssh_key", "ssh_key.pub", "known_hosts")
PROGRAM = """
import sys, asyncssh
key = asyncssh.generate_private_key("ssh-ed25519", "attpcdaq")
sys.stdout.write(key.export_private_key().decode() + "====\\n" + key.export_public_key().decode())
"""


def make() -> None:
    """Write what is missing of secrets/, in our image: the host needs no OpenSSH."""
    place.SECRETS.mkdir(mode=0o700, exist_ok=True)
    if not (place.SECRETS / "ssh_key").exists():
        for name in FILES:
            (place.SECRETS / name).touch(mode=0o600)
        made = docker.read("run", "--rm", "--no-deps", "-T", "web", "python", "-c", PROGRAM)
        private, _, public = made.partition("====\n")
        (place.SECRETS / "ssh_key").write_text(private, encoding="ascii")
        (place.SECRETS / "ssh_key.pub").write_text(public, encoding="ascii")
    for name in FILES:
        (place.SECRETS / name).touch(mode=0o600)
        place.give_to_containers(place.SECRETS / name)


def first_admin() -> str:
    """An account to begin with and its password, where there is none yet."""
    web = ("exec", "-T", "web", "python", "manage.py", "role")
    if docker.read(*web).strip():
        return "Log in with your account."
    return f"Log in as admin with the password {docker.read(*web, 'admin', 'admin', '--create').strip()}"
