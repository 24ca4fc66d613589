"""File names that come from a node are not trusted."""

import posixpath
from collections.abc import Iterable
from functools import lru_cache

from attpcdaq.gateways.errors import Refused

GRAW_SUFFIX = ".graw"
MAX_NAME_BYTES = 255
HOME = "~"


def is_plain(name: str) -> bool:
    """Is this one name in a directory: no separator, no control character, not empty, not too long?"""
    return (
        name not in ("", ".", "..")
        and "/" not in name
        and "\\" not in name
        and name.isprintable()
        and len(name.encode()) <= MAX_NAME_BYTES
    )


@lru_cache(maxsize=4096)  # the same names are seen every second
def is_graw(name: str) -> bool:
    """Is this the name of a data file?"""
    return is_plain(name) and name.endswith(GRAW_SUFFIX) and name != GRAW_SUFFIX


def check_plain(names: Iterable[str]) -> None:
    """Refused, naming the first name that is not plain."""
    for name in names:
        if not is_plain(name):
            raise Refused(f"{name!r} is not a plain file name; nothing was done")


def check_path(path: str) -> None:
    """Refused unless `path` is absolute or below the home directory (`~/`), without '..' and control characters."""
    if not path.startswith(("/", f"{HOME}/")) and path != HOME:
        raise Refused(f"{path!r} is not an absolute path, nor one below {HOME}/; nothing was done")
    if ".." in path.split("/") or not path.isprintable():
        raise Refused(f"{path!r} is not a path without '..' and control characters; nothing was done")


def expanded(path: str, home: str) -> str:
    """The path with the home directory for a leading `~`."""
    if path != HOME and not path.startswith(f"{HOME}/"):
        return path
    return home.rstrip("/") + path.removeprefix(HOME) or "/"


def parents(directory: str) -> tuple[str, ...]:
    """`directory` and the directories above it, outermost first, without the root."""
    found: list[str] = []
    here = posixpath.normpath(directory)
    while here not in ("/", "//"):
        found.append(here)
        here = posixpath.dirname(here)
    return tuple(reversed(found))
