"""The event number of the last frame of a data file."""

from get_protocol.errors import FrameError


def last_event_of(data: bytes) -> int | None:
    """Event number of the last frame of a whole file; None when it holds none yet or is no GRAW file."""
    from get_protocol.graw import find_last_frame, read_header

    try:
        first = read_header(data)
        last = find_last_frame(first, data, 0) or first
    except FrameError:
        return None
    return last.event_idx
