"""A log line for each call to hardware: at INFO for what changes something, at DEBUG for what only reads.

The ids of the click and the command are bound around it by who calls (docs/operations.md, Logs).
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from types import TracebackType

from attpcdaq.gateways.errors import GatewayError

logger = logging.getLogger(__name__)
NOTHING: AbstractContextManager[None] = nullcontext()


class _Told:
    """One call: how long it took, and what came of it."""

    __slots__ = ("_about", "_began", "_level", "_where")

    def __init__(self, level: int, where: dict[str, str], about: str) -> None:
        self._level, self._where, self._about = level, where, about

    def __enter__(self) -> None:
        self._began = monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        facts = {**self._where, "ms": round(1000 * (monotonic() - self._began))}
        if error is None:
            logger.log(self._level, "%s: answered", self._about, extra=facts)
        elif isinstance(error, GatewayError):
            level = logging.WARNING if self._level == logging.INFO else self._level
            logger.log(level, "%s: %s: %s", self._about, type(error).__name__, error, extra=facts)
        else:
            logger.log(self._level, "%s: given up (%s)", self._about, type(error).__name__, extra=facts)


def changing(what: str, *, server: str = "", node: str = "") -> AbstractContextManager[None]:
    """Around a call that changes something; a failure is a warning."""
    return _Told(logging.INFO, _where(server, node), what)


def reading(what: str, *, server: str = "", node: str = "") -> AbstractContextManager[None]:
    """Around a call that only reads: thirty of them a second cost nothing unless somebody wants to see them."""
    return _Told(logging.DEBUG, _where(server, node), what) if logger.isEnabledFor(logging.DEBUG) else NOTHING


def _where(server: str, node: str) -> dict[str, str]:
    return {name: value for name, value in (("server", server), ("node", node)) if value}
