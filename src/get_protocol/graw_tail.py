"""The last frame of a file that is still growing, from its last bytes alone."""

from collections.abc import Iterator

import numpy as np

from get_protocol.errors import FrameError, TruncatedFrame
from get_protocol.graw_header import COBO_TYPES, FrameHeader, read_header


def find_last_frame(first: FrameHeader, tail: bytes, tail_offset: int) -> FrameHeader | None:
    """Last frame whose header lies in `tail`, complete or just begun; None if there is none.

    `tail` is the file from byte `tail_offset` to its end, `first` the header of the file's first frame. A
    position counts as a frame only if frames follow one another from it to the end of `tail`.
    """
    broken: set[int] = set()
    for start in _candidates(first, tail, tail_offset):
        last = _last_from(first, tail, tail_offset, start, broken)
        if last is not None:
            return last
    return None


def _candidates(first: FrameHeader, tail: bytes, tail_offset: int) -> Iterator[int]:
    """Positions in `tail` that look like `first`; frames begin at whole blocks of the file."""
    data = np.frombuffer(tail, np.uint8)
    signature = _signature(first)
    end = len(tail) - max(signature)
    starts = np.arange((first.offset - tail_offset) % first.block_size, max(end, 0), first.block_size)
    for position, value in signature.items():
        starts = starts[data[starts + position] == value]
    yield from starts.tolist()


def _signature(first: FrameHeader) -> dict[int, int]:
    """Bytes by their place in the header that one file's frames share, except revision and sizes."""
    signature = {0: first.meta_type, 4: first.data_source, 7: first.revision}
    if first.cobo_idx is not None and first.asad_idx is not None:
        signature |= {26: first.cobo_idx, 27: first.asad_idx}
    return signature


def _last_from(first: FrameHeader, tail: bytes, tail_offset: int, start: int, broken: set[int]) -> FrameHeader | None:
    """Last of the frames that follow one another from `start`; None, and `broken` grows, if they do not."""
    last, position = None, start
    visited: list[int] = []
    while position < len(tail):
        visited.append(position)
        try:
            header = read_header(tail, position, base_offset=tail_offset)
        except TruncatedFrame:
            return last
        except FrameError:
            header = None
        if header is None or position in broken or not _plausible(first, header):
            broken.update(visited)
            return None
        last, position = header, position + header.frame_size
    return last


def _plausible(first: FrameHeader, header: FrameHeader) -> bool:
    """Whether `header` can stand in the file that begins with `first`."""
    if (header.frame_type in COBO_TYPES) != (first.frame_type in COBO_TYPES):
        return False
    if (header.cobo_idx, header.asad_idx, header.data_source) != (first.cobo_idx, first.asad_idx, first.data_source):
        return False
    # A repeated or lower event number makes the router begin another file (facts 4).
    if header.offset != first.offset and (header.event_idx or 0) <= (first.event_idx or 0):
        return False
    if header.header_size is None or header.item_size is None or header.item_count is None:
        return True
    used = header.header_size + header.item_size * header.item_count
    return 0 <= header.frame_size - used < header.block_size
