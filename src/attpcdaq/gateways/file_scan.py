"""Size, SHA-256 and frames of a file whose bytes pass through here once."""

import hashlib

from attpcdaq.gateways.ports import FileScan
from get_protocol.graw_scan import Scanner


class FileReader:
    """Takes a file in pieces, from its first byte on."""

    def __init__(self, checksum: bool) -> None:
        self._scanner = Scanner()
        self._digest = hashlib.sha256() if checksum else None

    def take(self, piece: bytes | memoryview) -> None:
        """The next bytes."""
        self._scanner.feed(piece)
        if self._digest is not None:
            self._digest.update(piece)

    def result(self) -> FileScan:
        """What the bytes up to now are."""
        summary = self._scanner.finish()
        return FileScan(summary.size, self._digest.hexdigest() if self._digest else "", summary)


def scan_bytes(data: bytes, checksum: bool = True) -> FileScan:
    """What a file with these bytes is."""
    reader = FileReader(checksum)
    reader.take(data)
    return reader.result()
