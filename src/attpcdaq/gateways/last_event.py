"""The event number of the last frame of a data file."""

from get_protocol.errors import FrameError
from get_protocol.graw import find_last_frame, read_header


def last_event_of(data: bytes) -> int | None:
    """Event number of the last frame of a whole file; None when it holds none yet or is no GRAW file."""
    try:
        last = find_last_frame(read_header(data), data, 0)
    except FrameError:
        return None
    return last.event_idx if last else None
