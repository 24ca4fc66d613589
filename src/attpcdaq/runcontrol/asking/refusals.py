"""How an order is turned down."""

from collections.abc import Sequence


class CommandRefused(Exception):
    """The command may not be given now; every reason is named, nothing was recorded or sent."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class BadCommand(ValueError):
    """What was asked makes no sense whatever the state; `field` is wrong, the text says what is allowed."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
