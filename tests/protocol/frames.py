"""Strategies and builders for MFM frames."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from get_protocol.graw import SAMPLE_DTYPE, Samples, build_frame, full_readout_order
from get_protocol.graw_header import FORMATS, FrameType

SIMPLE: dict[str, Any] = {"cobo_idx": 1, "asad_idx": 2, "event_idx": 3, "event_time": 4}
"""What build_frame cannot do without."""
KINDS = sorted(FORMATS)
ITEM = st.tuples(st.integers(0, 3), st.integers(0, 127), st.integers(0, 511), st.integers(0, 4095))
QUAD16 = st.tuples(*4 * [st.integers(0, 0xFFFF)])
QUAD68 = st.tuples(*4 * [st.integers(0, (1 << 68) - 1)])


def items_of(rows: list[tuple[int, int, int, int]]) -> Samples:
    return np.array(rows, SAMPLE_DTYPE)


@st.composite
def frame_arguments(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of build_frame that are allowed together."""
    kind, revision = draw(st.sampled_from(KINDS))
    if kind == FrameType.COBO_COMPACT:
        items = full_readout_order(draw(st.integers(0, 3)))
        items["sample"] = draw(st.integers(0, 4095))
    else:
        items = items_of(draw(st.lists(ITEM, max_size=8)) * draw(st.integers(0, 9)))
    arguments: dict[str, Any] = {
        "cobo_idx": draw(st.integers(0, 255)),
        "asad_idx": draw(st.integers(0, 255)),
        "event_idx": draw(st.integers(0, 2**32 - 1)),
        "event_time": draw(st.integers(0, 2**48 - 1)),
        "items": items,
        "frame_type": kind,
        "revision": revision,
        "read_offset": draw(st.integers(0, 0xFFFF)),
        "status": draw(st.integers(0, 255)),
        "data_source": draw(st.integers(0, 255)),
        "little_endian": draw(st.booleans()),
    }
    if revision > 0:
        arguments |= {"hit_patterns": draw(QUAD68), "multiplicity": draw(QUAD16)}
    if revision > 2:
        arguments["window_out"] = draw(st.integers(0, 2**32 - 1))
    if revision > 3:
        arguments["last_cells"] = draw(QUAD16)
    return arguments


def run_of(count: int, *, first: int = 0, cobo: int = 3, hits: int = 2) -> list[bytes]:
    """Frames of one AsAd with rising event numbers and 512 samples per hit channel."""
    rows = [(hit % 4, hit, bucket, (bucket * 7 + hit) % 4096) for hit in range(hits) for bucket in range(512)]
    items = items_of(rows)
    return [
        build_frame(cobo_idx=cobo, asad_idx=1, event_idx=event, event_time=event * 1000, items=items)
        for event in range(first, first + count)
    ]
