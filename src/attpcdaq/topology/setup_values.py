"""Reading one value of a setup: each reader returns what is stored or says what is allowed."""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from django.core.exceptions import ValidationError

from attpcdaq.topology.models import NAME, SENDER_ID, Access, LinkType, Role, absolute_path
from get_protocol.config_set import ConfigId
from get_protocol.errors import LocalProtocolError

Reader = Callable[[object], object]
HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,62}")
RESTART_LENGTH = 200
LONGEST_DEADLINE = 3600.0
OPERATIONS = ("describe", "prepare", "configure", "start", "stop", "breakup", "undo")
PROCESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("use text in quotes")
    return value


def _validated(validate: Callable[[str], None]) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        try:
            validate(text)
        except ValidationError as error:
            raise ValueError(error.messages[0]) from None
        return text

    return read


def _matching(pattern: re.Pattern[str], allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        if not pattern.fullmatch(text):
            raise ValueError(allowed)
        return text

    return read


def _one_of(values: list[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError(f"use one of {', '.join(values)}")
        return value

    return read


def optional(read: Callable[[object], str]) -> Callable[[object], str]:
    """The same, but empty text is allowed."""
    return lambda value: "" if value == "" else read(value)


def port(value: object) -> int:
    """A TCP port."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise ValueError("use a whole number from 1 to 65535")
    return value


def host(value: object) -> str:
    """A numeric IPv4 address or a host name."""
    text = _text(value)
    if re.fullmatch(r"[0-9.]+", text):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise ValueError("use four numbers from 0 to 255, as in 192.168.41.60, or a host name") from None
    if not HOST.fullmatch(text):
        raise ValueError("use a numeric IPv4 address or a host name of letters, digits, dots and dashes")
    return text


def path(value: object) -> str:
    """A path on a node, absolute or below the home directory: no '..', no control character, 255 characters."""
    text = _text(value)
    try:
        absolute_path(text)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from None
    if len(text) > 255 or not text.isprintable():
        raise ValueError("Use an absolute path of at most 255 printable characters.")
    return text


def describe(value: object) -> str:
    """The describe name of a configuration."""
    return config({"describe": value, "prepare": "x", "configure": "x"}).describe


def config(value: object) -> ConfigId:
    """A chosen config set."""
    if not isinstance(value, dict) or set(value) != {"describe", "prepare", "configure"}:
        raise ValueError("use { describe = , prepare = , configure = } with a name each")
    try:
        return ConfigId(**{kind: _text(name) for kind, name in value.items()})
    except LocalProtocolError as error:
        raise ValueError(str(error).removeprefix("config set: ")) from None


def restart_command(value: object) -> str:
    """A command line that restarts something on a node; {name} stands for the name of what it restarts."""
    text = _text(value)
    if not text.strip() or not text.isprintable() or len(text) > RESTART_LENGTH:
        raise ValueError(f"use one line of at most {RESTART_LENGTH} printable characters")
    # Names are plain (letters, digits, dots, dashes, underscores), so they need no quoting; nothing else is put in.
    if re.search(r"[{}]", text.replace("{name}", "")):
        raise ValueError("braces are for {name} alone, which stands for the name of what is restarted")
    return text


def deadlines(value: object) -> dict[str, float]:
    """Operation -> seconds after which its step is given up."""
    if not isinstance(value, dict) or not set(value) <= set(OPERATIONS):
        raise ValueError(f"use {{ prepare = 60 }} and the like, with operations of {', '.join(OPERATIONS)}")
    for operation, seconds in value.items():
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST_DEADLINE:
            raise ValueError(f"{operation}: use a number of seconds from 1 to {LONGEST_DEADLINE:g}")
    return dict(value)


name = _validated(NAME)
sender_id = _validated(SENDER_ID)
directory = path
role = _one_of(Role.values)
access = _one_of(Access.values)
link_type = _one_of(LinkType.values)
user = _matching(USER, "use a user name of letters, digits, dots, dashes or underscores")
process_name = _matching(PROCESS, "use the program's name alone: letters, digits, dots, dashes or underscores")
