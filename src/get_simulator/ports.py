"""A TCP port that stays ours while nobody listens on it: connecting is then refused, as with a dead process."""

import socket
import sys


class PortTaken(Exception):
    """A port cannot be used; the text says whose it should have been."""


class ReservedPort:
    """A bound socket that never listens; `listen` gives a second one that does."""

    def __init__(self, name: str, address: str, port: int) -> None:
        try:
            self._held = _bound(address, port)
        except OSError as error:
            raise PortTaken(f"{name}: port {port} of {address} cannot be used: {error.strerror}") from None
        self.address = address
        self.port: int = self._held.getsockname()[1]

    def listen(self) -> socket.socket:
        """A new listening socket on the port; close it to refuse connections again."""
        listener = _bound(self.address, self.port)
        listener.listen(100)
        return listener

    def close(self) -> None:
        self._held.close()


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform != "linux":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
