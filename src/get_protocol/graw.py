"""GRAW files and the MFM frames in them (facts 4 and 5)."""

from get_protocol.graw_build import build_frame, build_mutant, build_topology, encode_frame
from get_protocol.graw_header import (
    FrameHeader,
    FrameType,
    ReadableBuffer,
    Topology,
    header_tail,
    read_header,
    read_topology,
    walk,
)
from get_protocol.graw_names import ROLLOVER_BYTES, GrawName, graw_name, parse_graw_name
from get_protocol.graw_samples import SAMPLE_DTYPE, Samples, full_readout_order, hit_patterns_of, samples
from get_protocol.graw_tail import find_last_frame

__all__ = [
    "ROLLOVER_BYTES",
    "SAMPLE_DTYPE",
    "FrameHeader",
    "FrameType",
    "GrawName",
    "ReadableBuffer",
    "Samples",
    "Topology",
    "build_frame",
    "build_mutant",
    "build_topology",
    "encode_frame",
    "find_last_frame",
    "full_readout_order",
    "graw_name",
    "header_tail",
    "hit_patterns_of",
    "parse_graw_name",
    "read_header",
    "read_topology",
    "samples",
    "walk",
]
