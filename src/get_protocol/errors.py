"""One tree of errors that says who broke the protocol: we, or the other side."""


class ProtocolError(Exception):
    """Root of every error this package raises on purpose."""


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol; nothing may be sent."""


class RemoteProtocolError(ProtocolError):
    """What came in breaks the protocol; the text names the field and what is allowed."""


class XmlRefused(RemoteProtocolError):
    """Incoming XML that is not even looked at: ill-formed, DOCTYPE, too deep or too large."""


class FrameError(RemoteProtocolError):
    """A frame that cannot be read; `offset` counts bytes from the start of the file or buffer."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"at byte {self.offset}: {self.reason}"


class TruncatedFrame(FrameError):
    """The bytes end inside a frame: normal at the end of a file that is still growing."""


class SoapFault(ProtocolError):
    """A SOAP fault, the HTTP 500 answer of an ECC server (facts 1.3)."""

    def __init__(self, code: str, string: str) -> None:
        super().__init__(code, string)
        self.code = code
        self.string = string

    def __str__(self) -> str:
        return f"{self.code}: {self.string}"


class NoReply(ProtocolError):
    """The real server closes this connection without a byte, after `held_s` seconds (facts 1.5)."""

    def __init__(self, reason: str, held_s: float = 0.0) -> None:
        super().__init__(reason, held_s)
        self.reason = reason
        self.held_s = held_s

    def __str__(self) -> str:
        return self.reason


class ServerAborts(ProtocolError):
    """A request that ends the real ECC server's process (facts 1.5)."""
