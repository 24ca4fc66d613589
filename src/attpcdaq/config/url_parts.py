"""Addresses of settings taken apart: what is wrong with one is said without repeating a password."""

from urllib.parse import SplitResult, urlsplit

UNREADABLE = (
    "its host and port cannot be told apart from the rest: the port is a number, "
    "and in a password / ? # @ : are written %2F %3F %23 %40 %3A"
)


def url_parts(url: str) -> SplitResult:
    """Its parts; ValueError when the port is no number, or for anything after #, which nobody would read."""
    try:
        parts = urlsplit(url)
        readable = (parts.port is None or parts.port > 0) and not parts.fragment
    except ValueError:  # its text may have a part of the password in it
        readable = False
    if not readable:
        raise ValueError(UNREADABLE)
    return parts
