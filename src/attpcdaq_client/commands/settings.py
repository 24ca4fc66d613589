"""Where the DAQ is and with which token it is asked: options, then environment, then the file of `attpcdaq login`."""

import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import tomli_w

FILE = "attpcdaq.toml"
KEYS = ("url", "token", "ca")
VARIABLES = {"url": "ATTPCDAQ_URL", "token": "ATTPCDAQ_TOKEN", "ca": "ATTPCDAQ_CA"}


@dataclass(frozen=True, slots=True)
class Settings:
    """`ca`: a file with the certificate that vouches for the DAQ's own."""

    url: str = ""
    token: str = ""
    ca: str = ""


def path(environ: Mapping[str, str]) -> Path:
    """Of the settings file of whoever runs the command."""
    home = environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path(environ.get("HOME") or Path.home()) / ".config") / FILE


def found(options: Settings, environ: Mapping[str, str]) -> Settings:
    """Each setting from the first place that has it. A token of the file goes to the file's own address only."""
    kept = _kept(path(environ))
    named = {key: getattr(options, key) or environ.get(VARIABLES[key], "") for key in KEYS}
    url = named["url"] or kept.get("url", "")
    if url.rstrip("/") != kept.get("url", "").rstrip("/"):
        kept = {}
    return Settings(url, named["token"] or kept.get("token", ""), named["ca"] or kept.get("ca", ""))


def _kept(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{file} is no TOML: {error}") from None
    wrong = [key for key, value in values.items() if key not in KEYS or not isinstance(value, str)]
    if wrong:
        raise click.UsageError(f"{file}: {', '.join(wrong)}: allowed are {', '.join(KEYS)}, each as text in quotes.")
    if values.get("token") and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        click.echo(f"{file} can be read by others, and the token in it: chmod 600 {file}", err=True)
    return values


def keep(settings: Settings, file: Path) -> None:
    """Write the file, for its owner alone; whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {key: getattr(settings, key) for key in KEYS if getattr(settings, key)}
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:  # mkstemp made it with mode 600
            stream.write(tomli_w.dumps(values).encode())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
