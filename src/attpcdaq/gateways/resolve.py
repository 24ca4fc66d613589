"""Host names to numeric addresses: a data link with a name becomes 255.255.255.255 in the real software (facts 3)."""

import socket

from attpcdaq.gateways.errors import Unreachable


def numeric_address(host: str) -> str:
    """IPv4 address of `host` in dotted form; Unreachable when the name is unknown."""
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise Unreachable(f"the host name {host!r} of a data router is unknown ({error.strerror or error})") from error
