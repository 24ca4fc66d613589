"""What may go wrong between a program and the DAQ, by what is now true.

DaqError ─┬─ OutOfTouch ─┬─ Unreachable   nothing was sent
          │              ├─ NoAnswer      sent; whether it was carried out is not known
          │              └─ Unavailable   it is there and cannot work at the moment (HTTP 502, 503, 504)
          ├─ SaidNo ─────┬─ Refused       not now: `reasons` (409)
          │              ├─ WrongInput    `fields`, each with what is allowed (400, 422)
          │              ├─ NotAllowed    no valid token, or not the role for it (401, 403)
          │              ├─ NotThere      no such thing, or no such address in this version (404)
          │              └─ Failed        its own fault (any other status)
          └─ BadReply     an answer that is none of this API's
"""


class DaqError(Exception):
    """Anything that keeps an answer from being one."""


class OutOfTouch(DaqError):
    """Nobody knows how the DAQ is; asking again may help."""


class Unreachable(OutOfTouch):
    """No connection: nothing was sent."""


class NoAnswer(OutOfTouch):
    """The request was sent and no answer came. An order may have been carried out: look before giving it again."""


class Unavailable(OutOfTouch):
    """The DAQ, or the proxy before it, says that it cannot work at the moment. Of an order the same as NoAnswer."""


class SaidNo(DaqError):
    """The DAQ answered that it will not; the text is its own."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Refused(SaidNo):
    """It may not be done now, for every one of `reasons`; nothing was done."""

    def __init__(self, status: int, detail: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(status, detail)
        self.reasons = reasons or (detail,)


class WrongInput(SaidNo):
    """`fields`: what is wrong -> what is allowed; nothing was done."""

    def __init__(self, status: int, detail: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.fields = fields or {}


class NotAllowed(SaidNo):
    """Without a valid token (401), or not with its user's role (403)."""


class NotThere(SaidNo):
    """There is no such thing."""


class Failed(SaidNo):
    """The DAQ failed to answer."""


class BadReply(DaqError):
    """The answer is none that this version of the client understands; it names the field."""
