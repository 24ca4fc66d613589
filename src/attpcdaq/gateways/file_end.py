"""The end of a file that grows, over SFTP: of a log the last bytes are what somebody wants to see."""

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import check_path
from attpcdaq.gateways.node_contents import refusals, without_gap
from attpcdaq.gateways.node_listing import check_sizes
from attpcdaq.gateways.ports import Tail
from attpcdaq.gateways.sftp_batch import Session

MOST_BYTES = 1 << 20


def check(path: str, most: int) -> None:
    """Refused, nothing being sent, for what is no path and for more than may be asked for."""
    check_path(path)
    if not 1 <= most <= MOST_BYTES:
        raise Refused(f"the last {most} bytes of a file were asked for: 1 to {MOST_BYTES} may be; nothing was done")


async def read(session: Session, path: str, most: int) -> Tail:
    """Its last `most` bytes; Refused (MISSING) when there is none, and for what is no ordinary file."""
    with refusals(path):
        # A pipe that is opened would wait for somebody to write into it, and all else on this channel with it.
        if not sftp_answers.is_ordinary((await session.ask([sftp_batch.stat(path)]))[0]):
            raise Refused(f"{path} is no ordinary file")
        handle = sftp_answers.data((await session.ask([sftp_batch.open_file(path)]))[0])
        try:
            return await _end(session, handle, most)
        finally:
            session.forget([handle])


async def _end(session: Session, handle: bytes, most: int) -> Tail:
    """Of the file that was opened, whatever has its name by now."""
    found = sftp_answers.stat_of((await session.ask([sftp_batch.stat_open(handle)]))[0])
    check_sizes([found.size])
    begin, data = max(0, found.size - most), b""
    while begin + len(data) < found.size:
        at = begin + len(data)
        pieces = await session.ask(sftp_batch.read_all(handle, found.size - at, at))
        more = without_gap([sftp_answers.data(piece) for piece in pieces])
        if not more:
            break  # it was shortened a moment ago
        data += more
    return Tail(data, begin + len(data), found.mtime)
