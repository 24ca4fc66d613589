"""The image that all stand-ins begin with: a small Debian that trusts what this machine trusts."""

import hashlib
import os
import subprocess
from pathlib import Path

from tests.deploy.engine_programs import SUITE, mirror, need
from tests.deploy.programs import Failed, output

STANDINS = Path(__file__).parent / "standins"
NAME = "attpcdaq-stand-in-base"
CERTIFICATES = "/usr/local/share/ca-certificates"
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
# Where pip looks, when this machine's pip does not look where every pip does.
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host")


def make_base() -> str:
    """Its name; it is made when there is none, or when this machine's certificates are others."""
    recipe = [STANDINS / "get-packages", Path(__file__), *sorted(Path(CERTIFICATES).glob("*.crt"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in recipe))
    digest.update("".join(_settings()).encode())
    name = f"{NAME}:{digest.hexdigest()[:16]}"
    if not output("docker", "image", "inspect", "--format", "{{.Id}}", name):
        need("mmdebstrap")
        _import(name)
    return name


def _import(name: str) -> None:
    """A tar of the root file system, out of packages and straight into the engine."""
    hooks = [
        f'mkdir -p "$1{CERTIFICATES}" && cp {CERTIFICATES}/*.crt "$1{CERTIFICATES}/" 2>/dev/null || true',
        'chroot "$1" update-ca-certificates >/dev/null',
        f'install --mode 755 "{STANDINS}/get-packages" "$1/usr/local/sbin/"',
        # No package may start its service while an image is built.
        'printf "#!/bin/sh\\nexit 101\\n" >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"',
        'rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*',
    ]
    left_out = [f"path-exclude=/usr/share/{folder}/*" for folder in ("man", "doc", "info", "locale")]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "--include=ca-certificates,netbase,tzdata"]
    command += [f"--dpkgopt={option}" for option in [*left_out, "force-unsafe-io"]]
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [SUITE, "-", mirror()]
    changes = [word for setting in _settings() for word in ("--change", f"ENV {setting}")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False) as making:
        taken = subprocess.run(["docker", "import", *changes, "-", name], stdin=making.stdout, capture_output=True)
        said = making.communicate()[1].decode(errors="replace")
    if making.returncode or taken.returncode:
        raise Failed(f"no Debian could be made for the stand-ins: {said[-800:]} {taken.stderr.decode()[-300:]}")


def _settings() -> list[str]:
    """Environment of every stand-in: what a build needs so as to fetch packages as this machine does."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    found = [f"{name}={TRUSTED}" for name in names]
    for setting in PIP_SETTINGS:
        variable = f"PIP_{setting.upper().replace('-', '_')}"
        value = os.environ.get(variable) or output("python3", "-m", "pip", "config", "get", f"global.{setting}")
        # What lies in this machine's own file system is not seen in a build.
        if value and not value.startswith("file:") and "\n" not in value and " " not in value:
            found.append(f"{variable}={value}")
    return found
