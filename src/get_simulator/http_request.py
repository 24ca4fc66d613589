"""The HTTP request of one connection, read as leniently as the real server does (facts 1.1)."""

from dataclasses import dataclass

MAX_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Method and body; path and most headers are ignored."""

    method: str
    body: bytes


class RequestReader:
    """Feed it bytes; it gives the request once it is complete, and nothing for garbage."""

    def __init__(self) -> None:
        self.wants_continue = False
        self._buffer = bytearray()
        self._method: str | None = None
        self._length: int | None = None
        self._chunked = False

    def feed(self, data: bytes) -> HttpRequest | None:
        """The request if `data` completes it. `wants_continue` is true once, when "100 Continue" is to be sent."""
        self.wants_continue = False
        self._buffer += data[: MAX_BYTES - len(self._buffer)]
        if self._method is None and not self._read_head():
            return None
        assert self._method is not None
        body = self._body()
        return None if body is None else HttpRequest(self._method, body)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self._buffer.clear()
            return False
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
        del self._buffer[: end + 4]
        self._chunked = "chunked" in headers.get("transfer-encoding", "")
        length = headers.get("content-length", "0")
        self._length = int(length) if length.isascii() and length.isdigit() else 0
        self.wants_continue = headers.get("expect", "") == "100-continue"
        self._method = words[0]
        return True

    def _body(self) -> bytes | None:
        if self._chunked:
            return self._joined_chunks()
        assert self._length is not None
        return bytes(self._buffer[: self._length]) if len(self._buffer) >= self._length else None

    def _joined_chunks(self) -> bytes | None:
        """The body of a chunked request, None while its last chunk has not come (or never can)."""
        body, position = b"", 0
        while (end := self._buffer.find(b"\r\n", position)) >= 0:
            digits = bytes(self._buffer[position:end]).split(b";")[0].strip()
            try:
                size = int(digits, 16)
            except ValueError:
                return None
            if size <= 0:
                return body
            body += self._buffer[end + 2 : end + 2 + size]
            position = end + 2 + size + 2
            if position > len(self._buffer):
                return None
        return None
