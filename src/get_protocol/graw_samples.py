"""Samples of CoBo frames as numpy arrays (facts 5)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from get_protocol.errors import FrameError, LocalProtocolError, TruncatedFrame
from get_protocol.graw_header import COBO_TYPES, LITTLE_ENDIAN, FrameHeader, FrameType, ReadableBuffer

SAMPLE_DTYPE = np.dtype([("aget", "u1"), ("channel", "u1"), ("bucket", "<u2"), ("sample", "<u2")])
Samples = NDArray[np.void]

AGETS, CHANNELS, BUCKETS = 4, 68, 512
_HIGHEST = {"aget": AGETS - 1, "channel": 127, "bucket": BUCKETS - 1, "sample": 4095}
_FIRST_CHANNEL_BIT = CHANNELS - 1
_AGET_BITS = np.uint16(0xC000)


def samples(buffer: ReadableBuffer, header: FrameHeader, *, base_offset: int = 0) -> Samples:
    """Items of one CoBo frame in stored order, as an array of SAMPLE_DTYPE and shape (item_count,).

    `buffer` begins at `base_offset` of the file that header.offset counts in. A full-readout frame names
    neither channel nor bucket: they follow from the order. FrameError with the frame's offset.
    """
    if header.frame_type not in COBO_TYPES or header.header_size is None or header.item_count is None:
        raise FrameError(header.offset, f"a frame of type {header.frame_type} holds no samples that are known")
    compact = header.frame_type == FrameType.COBO_COMPACT
    start = header.offset - base_offset + header.header_size
    if start < 0 or len(buffer) - start < header.item_count * (2 if compact else 4):
        raise TruncatedFrame(header.offset, f"the buffer ends before the last of {header.item_count} items")
    order = "<" if header.meta_type & LITTLE_ENDIAN else ">"
    stored = np.frombuffer(buffer, np.dtype(order + ("u2" if compact else "u4")), header.item_count, start)
    words = stored.astype(stored.dtype.newbyteorder("="))
    return _compact(words, header.offset) if compact else _explicit(words)


def encode_items(items: Samples, frame_type: int, *, little_endian: bool = False) -> bytes:
    """Items as stored; LocalProtocolError for a value out of range or, in a full readout, out of order."""
    if frame_type == FrameType.COBO_COMPACT:
        return _compact_words(items).astype("<u2" if little_endian else ">u2").tobytes()
    _check_ranges(items, _HIGHEST)
    words = items["aget"].astype("u4") << 30
    words |= items["channel"].astype("u4") << 23
    words |= items["bucket"].astype("u4") << 14
    words |= items["sample"]
    return words.astype("<u4" if little_endian else ">u4").tobytes()


def full_readout_order(buckets: int = BUCKETS) -> Samples:
    """All items of a full readout with sample 0: per bucket 68 channels, the AGETs interleaved."""
    return _copy(_interleaved(buckets * CHANNELS * AGETS))


def hit_patterns_of(items: Samples) -> tuple[int, int, int, int]:
    """Hit patterns that name every channel present: channel c is bit 67-c (facts 5)."""
    pairs = np.unique(items["aget"].astype(np.int64) * 128 + items["channel"])
    patterns = [0] * AGETS
    for pair in pairs.tolist():
        if pair % 128 < CHANNELS:
            patterns[pair // 128] |= 1 << (_FIRST_CHANNEL_BIT - pair % 128)
    return patterns[0], patterns[1], patterns[2], patterns[3]


def _explicit(words: NDArray[np.uint32]) -> Samples:
    items = np.empty(words.shape, SAMPLE_DTYPE)
    items["aget"] = words >> 30
    items["channel"] = (words >> 23) & 0x7F
    items["bucket"] = (words >> 14) & 0x1FF
    items["sample"] = words & 0xFFF
    return items


def _compact(words: NDArray[np.uint16], offset: int) -> Samples:
    if np.array_equal(words & _AGET_BITS, _interleaved_bits(words.size)):
        items = _copy(_interleaved(words.size))
    else:
        items = _in_order_per_aget((words >> 14).astype("u1"))
    if words.size and int(items["bucket"].max()) >= BUCKETS:
        raise FrameError(offset, f"an AGET has more than {BUCKETS} buckets of {CHANNELS} channels")
    items["sample"] = words & 0xFFF
    return items


def _compact_words(items: Samples) -> NDArray[np.uint16]:
    _check_ranges(items, _HIGHEST)
    expected = _interleaved(items.size)
    if any(not np.array_equal(expected[field], items[field]) for field in ("aget", "channel", "bucket")):
        _check_order(items)
    words: NDArray[np.uint16] = items["aget"].astype(np.uint16) * np.uint16(1 << 14)
    words |= items["sample"]
    return words


def _copy(items: Samples) -> Samples:
    # numpy copies an array of records one field at a time, twenty times slower than its bytes.
    return items.view(np.uint8).copy().view(SAMPLE_DTYPE)


def _check_ranges(items: Samples, highest: dict[str, int]) -> None:
    for field, limit in highest.items():
        if items.size and int(items[field].max()) > limit:
            raise LocalProtocolError(f"{field} is {int(items[field].max())}; allowed: 0 to {limit}")


def _check_order(items: Samples) -> None:
    expected = _in_order_per_aget(items["aget"])
    for field in ("channel", "bucket"):
        wrong = np.flatnonzero(expected[field] != items[field])
        if wrong.size:
            at = int(wrong[0])
            raise LocalProtocolError(
                f"{field} of item {at} is {int(items[field][at])}; a full readout stores "
                f"{int(expected[field][at])} there, because its items are told apart by their order"
            )


@lru_cache(maxsize=8)
def _interleaved(count: int) -> Samples:
    """The order every board uses: AGET 0, 1, 2, 3 in turn."""
    items = _in_order_per_aget((np.arange(count) % AGETS).astype("u1"))
    items.flags.writeable = False
    return items


@lru_cache(maxsize=8)
def _interleaved_bits(count: int) -> NDArray[np.uint16]:
    bits: NDArray[np.uint16] = _interleaved(count)["aget"].astype(np.uint16) * np.uint16(1 << 14)
    return bits


def _in_order_per_aget(agets: NDArray[np.uint8]) -> Samples:
    items = np.zeros(agets.shape, SAMPLE_DTYPE)
    items["aget"] = agets
    for aget in range(AGETS):
        mine = np.flatnonzero(agets == aget)
        rank = np.arange(mine.size)
        items["channel"][mine] = rank % CHANNELS
        items["bucket"][mine] = np.minimum(rank // CHANNELS, BUCKETS)
    return items
