"""What the environment must say before anything starts, read once and checked (prefix ATTPCDAQ_)."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from attpcdaq.config.database_url import database_settings
from attpcdaq.config.url_parts import url_parts
from attpcdaq.gateways.offsite_address import offsite_address

PREFIX = "ATTPCDAQ_"
ALIKE = 0.85
HOST_NAME = r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]"
ORIGIN = r"https?://[^/\s]+"
HINTS = {
    "SECRET_KEY": "any random text of 32 characters or more, kept secret",
    "DATABASE_URL": (
        "postgresql://user:password@host:5432/name (?sslmode=verify-full&sslrootcert=/path with TLS) "
        "or sqlite:////absolute/path"
    ),
    "BROKER_URL": (
        "amqp://user:password@host:5672/vhost (amqps://, port 5671, with TLS) or filesystem:////absolute/directory"
    ),
    "BROKER_CA": "path of the certificate of the authority which signed the broker's",
    "ALLOWED_HOSTS": "comma-separated host names under which the pages are reached",
    "TRUSTED_PROXIES": "comma-separated networks such as 172.20.0.0/24, from which X-Forwarded-... is believed",
    "STATIC_ROOT": "the absolute path of a directory for `manage.py collectstatic`",
    "TIME_ZONE": "a name such as UTC or America/Detroit",
    "COOKIE_PREFIX": "1 to 40 letters, digits and _",
    "DEBUG": "true or false",
    "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR",
    "LOG_FORMAT": "text or json",
    "HSTS_SECONDS": "a whole number of seconds, 0 for none",
    "SSH_KEY": "path of the private key which the nodes accept",
    "SERVICE": "a name of 20 small letters, digits and dashes at the most",
    "ALIVE_FILE": "path of a file in an existing directory, which the process touches every few seconds",
    "OFFSITE": "sftp://user@host:port/directory, where copies of backups go",
    "TLS_CERT": "path of the certificate (PEM) with which nginx answers",
    "SSH_KNOWN_HOSTS": "path of a known_hosts file which names the nodes' host keys",
}


class SettingsError(ImproperlyConfigured):
    """A setting is missing or wrong; the text names it and says what is allowed."""


class Environment(BaseSettings):
    """The settings of every process of the product."""

    # Empty is as good as not set: compose files pass on what nobody filled in.
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    secret_key: SecretStr = Field(min_length=32)
    database_url: str
    broker_url: str
    broker_ca: Path | None = Field(None, validate_default=True)
    allowed_hosts: Annotated[list[str], NoDecode] = ["127.0.0.1", "localhost"]
    csrf_trusted_origins: Annotated[list[str], NoDecode] = []
    trusted_proxies: Annotated[list[IPv4Network | IPv6Network], NoDecode] = []
    ssh_key: Path | None = None
    ssh_known_hosts: Path | None = None
    ssh_user: str = "attpc"
    static_root: Path | None = None
    time_zone: str = "UTC"
    hsts_seconds: int = Field(0, ge=0)
    cookie_prefix: str = Field("attpcdaq", pattern="^[A-Za-z0-9_]{1,40}$")
    service: str = Field("", pattern="^([a-z][a-z0-9-]{0,19})?$")
    alive_file: Path | None = None
    tls_cert: Path | None = None
    offsite: str | None = None
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @field_validator("allowed_hosts", "csrf_trusted_origins", mode="before")
    @classmethod
    def _split(cls, value: str | list[str]) -> list[str]:
        return _parts(value)

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, value: list[str]) -> list[str]:
        return _all_match(value, HOST_NAME, "a host name without https:// and without a port")

    @field_validator("csrf_trusted_origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        return _all_match(value, ORIGIN, "an origin such as https://daq.example.org:8443")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, value: str | list[str]) -> list[IPv4Network | IPv6Network]:
        return [ip_network(each) for each in _parts(value)]

    @field_validator("static_root")
    @classmethod
    def _is_directory(cls, value: Path | None) -> Path | None:
        if value is not None and (not value.is_absolute() or value.is_file()):
            raise ValueError(f"{value} is not the absolute path of a directory")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # unknown; out of the directory; itself a directory
            raise ValueError(f"there is no time zone {value!r}") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        database_settings(value)
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        url = url_parts(value)
        if url.scheme not in ("amqp", "amqps", "filesystem"):
            raise ValueError("the scheme must be amqp, amqps or filesystem")
        if url.scheme == "filesystem" and not url.path.startswith("/"):
            raise ValueError("filesystem:// needs an absolute directory")
        if url.query or ";" in value:
            raise ValueError("it is one address, without options after a question mark")
        return value

    @field_validator("broker_ca")
    @classmethod
    def _verifies_the_broker(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        secured = url_parts(info.data.get("broker_url", "")).scheme == "amqps"  # whether it is written AMQPS or not
        if secured and value is None:
            raise ValueError("amqps:// is only spoken with a broker whose certificate is verified")
        if "broker_url" in info.data and not secured and value is not None:
            raise ValueError("it is only for a broker at amqps://")
        return value

    @field_validator("offsite")
    @classmethod
    def _is_offsite(cls, value: str | None) -> str | None:
        if value is not None:
            offsite_address(value)
        return value

    @field_validator("alive_file")
    @classmethod
    def _has_a_directory(cls, value: Path | None) -> Path | None:
        if value is not None and not value.parent.is_dir():
            raise ValueError(f"there is no directory {value.parent}")
        return value

    @field_validator("ssh_key", "ssh_known_hosts", "broker_ca", "tls_cert")
    @classmethod
    def _is_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError(f"this user may not read the file {value}")
        return value


def _all_match(values: list[str], pattern: str, allowed: str) -> list[str]:
    for value in values:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not {allowed}")
    return values


def _parts(value: str | list[str]) -> list[str]:
    """Of what is set; a default is a list already."""
    parts = value.split(",") if isinstance(value, str) else value
    return [part.strip() for part in parts if part.strip()]


def read_environment() -> Environment:
    """Read and check the environment; SettingsError lists every wrong setting in one line."""
    misspelt = list(_misspelt(os.environ))
    try:
        found = Environment()
    except ValidationError as error:
        raise SettingsError("; ".join([*map(_explain, error.errors()), *misspelt])) from None
    if misspelt:
        raise SettingsError("; ".join(misspelt))
    return found


def _misspelt(names: Iterable[str]) -> Iterator[str]:
    """Names that are no setting and nearly one: nobody would notice that they have no effect."""
    known = [name.upper() for name in Environment.model_fields]
    for name in sorted(names):
        word = name.removeprefix(PREFIX)
        like = difflib.get_close_matches(word, known, 1, ALIKE) if name.startswith(PREFIX) else []
        if like and word not in known:
            yield f"{name} is not a setting: did you mean {PREFIX}{like[0]}?"


def _explain(item: Any) -> str:
    name = str(item["loc"][0]).upper()
    why = "is missing" if item["type"] == "missing" else f"is wrong ({item['msg'].removeprefix('Value error, ')})"
    hint = HINTS.get(name)
    return f"{PREFIX}{name} {why}" + (f": set it to {hint}" if hint else "")
