"""The error tree of the outside world: whose fault it is, and what is now true.

GatewayError
├── Unreachable   nothing was sent: no connection, so nothing can have happened
├── NoAnswer      it was sent, the outcome is unknown: read the state before deciding
├── Refused       the other side said no, and why
└── BadReply      it answered something that is not the protocol; the outcome is unknown
"""

from typing import ClassVar


def readable(text: str) -> str:
    """Words from outside as they may be kept and shown: a NUL in them would keep a whole batch out of PostgreSQL."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


class GatewayError(Exception):
    """Something outside did not do what was asked; the text is for the crew."""

    def __init__(self, message: str) -> None:
        super().__init__(message if message.isprintable() else readable(message))


class Unreachable(GatewayError):
    """No connection: nothing was sent."""


class NoAnswer(GatewayError):
    """Sent, but no answer came: the outcome is unknown."""


class Refused(GatewayError):
    """It said no; `code` is the server's error code where it has one, or one of ours (MISSING)."""

    MISSING: ClassVar[int] = -2
    """There is no such file or directory."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class BadReply(GatewayError):
    """An answer that breaks the protocol: the outcome is unknown."""
