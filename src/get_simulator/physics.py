"""Plausible events: tracks through the gas, the pulses they leave on the pads, and the frames that hold them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from get_protocol.graw import (
    SAMPLE_DTYPE,
    FrameType,
    Samples,
    build_frame,
    build_mutant,
    full_readout_order,
)
from get_simulator.board import Settings, Stamp
from get_simulator.pads import CHANNELS, FPN_CHANNELS, PadPlane, pad_plane

SHAPES, FULL_SHAPES = 24, 2
"""Different events made before they repeat, in partial and full readout: the frames are kept and only stamped anew."""
BASELINE, NOISE, CEILING = 320.0, 4.0, 4095
SHAPING_BUCKETS = 9.0
TIME_AND_NUMBER = struct.Struct(">HII")
TIME_OFFSET, MUTANT_NUMBER_OFFSET = 16, 14


@dataclass(frozen=True, slots=True)
class Hits:
    """Pads hit in one event, when (time bucket) and how strongly (ADC counts)."""

    pads: NDArray[np.int64]
    buckets: NDArray[np.float64]
    heights: NDArray[np.float64]


@lru_cache(maxsize=SHAPES * 2)
def hits_of(shape: int, cobos: int) -> Hits:
    """The hits of event shape number `shape`: two tracks from one vertex near the beam axis."""
    rng, plane = np.random.default_rng(shape), pad_plane(cobos)
    vertex = rng.normal(0.0, 8.0, 2)
    drift = rng.uniform(120.0, 380.0)
    angle = rng.uniform(0.0, 2 * np.pi)
    tracks = [_track(rng, plane, vertex, drift, turn) for turn in (angle, angle + rng.uniform(1.2, 3.0))]
    pads, buckets, charges = (np.concatenate(parts) for parts in zip(*tracks, strict=True))
    hit, first = np.unique(pads, return_index=True)
    heights = np.bincount(pads, charges)[hit]
    return Hits(hit, buckets[first], np.minimum(heights, 3500.0))


def _track(
    rng: np.random.Generator, plane: PadPlane, vertex: NDArray[np.float64], drift: float, angle: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """A straight line; the charge grows towards its end (Bragg) and drifts in `drift` buckets at the vertex."""
    length = rng.uniform(90.0, 260.0)
    along = np.arange(0.0, length, plane.pitch / 2)
    x, y = vertex[0] + along * np.cos(angle), vertex[1] + along * np.sin(angle)
    pads = plane.at(x, y)
    buckets = np.clip(drift + along * rng.uniform(-0.5, 0.5), 20.0, 480.0)
    charges = rng.gamma(6.0, 45.0, along.size) * (1.0 + 1.5 * (along / length) ** 4)
    kept = pads >= 0
    return pads[kept], buckets[kept], charges[kept]


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.int16]:
    """A stock of noise: every channel takes a piece of it."""
    return np.rint(np.random.default_rng(0).normal(0.0, NOISE, 1 << 16)).astype(np.int16)


def waveforms(
    rng: np.random.Generator, buckets: NDArray[np.float64], heights: NDArray[np.float64]
) -> NDArray[np.uint16]:
    """Samples of shape (channels, 512): baseline, noise and the chip's pulse, 12 bits; height 0 is no pulse."""
    stock, count = _noise(), buckets.size
    samples: NDArray[np.int16] = stock[rng.integers(0, stock.size - 512, (count, 1)) + np.arange(512)]
    samples += rng.normal(BASELINE, 12.0, (count, 1)).astype(np.int16)
    hit = np.flatnonzero(heights)
    u = np.clip((np.arange(512) - buckets[hit, None]) / SHAPING_BUCKETS, 0.0, None)
    samples[hit] += (heights[hit, None] * np.exp(-3.0 * u) * np.sin(u) * u**3 / 0.044).astype(np.int16)
    return np.clip(samples, 0, CEILING).astype(np.uint16)


class CoboFrames:
    """The frames of one CoBo, number `number` of `cobos`: made once for each shape, then only stamped."""

    def __init__(self, number: int, cobos: int) -> None:
        self._number, self._cobos = number, cobos
        self._settings: Settings | None = None
        self._made: dict[tuple[int, int], bytearray] = {}

    def frames(self, settings: Settings, stamp: Stamp) -> Sequence[bytes]:
        """One frame for each active AsAd, hit or not."""
        if settings != self._settings:
            self._settings, self._made = settings, {}
        shape = stamp.shape % (FULL_SHAPES if settings.full_readout else SHAPES)
        return [self._stamped(settings, shape, asad, stamp) for asad in settings.asads]

    def _stamped(self, settings: Settings, shape: int, asad: int, stamp: Stamp) -> bytes:
        frame = self._made.get((shape, asad))
        if frame is None:
            frame = self._made[shape, asad] = bytearray(self._make(settings, shape, asad))
        high, low = divmod(stamp.ticks & 0xFFFF_FFFF_FFFF, 1 << 32)
        TIME_AND_NUMBER.pack_into(frame, TIME_OFFSET, high, low, stamp.number & 0xFFFF_FFFF)
        return bytes(frame)

    def _make(self, settings: Settings, shape: int, asad: int) -> bytes:
        rng = np.random.default_rng((shape, self._number, asad))
        plane, hits = pad_plane(self._cobos), hits_of(shape, self._cobos)
        mine = (plane.cobo[hits.pads] == self._number) & (plane.asad[hits.pads] == asad)
        pulses = {
            (int(plane.aget[pad]), int(plane.channel[pad])): (bucket, height)
            for pad, bucket, height in zip(hits.pads[mine], hits.buckets[mine], hits.heights[mine], strict=True)
        }
        make = _full_items if settings.full_readout else _partial_items
        return build_frame(
            cobo_idx=settings.cobo_id,
            asad_idx=asad,
            event_idx=0,
            event_time=0,
            items=make(rng, pulses, settings),
            frame_type=FrameType.COBO_COMPACT if settings.full_readout else FrameType.COBO,
            hit_patterns=_patterns(pulses),
            last_cells=_quad(rng),
        )


class MutantFrames:
    """The MuTAnT's frames: of their contents only size, type and event number are known (facts 5)."""

    def __init__(self) -> None:
        self._frame = bytearray(build_mutant(0))

    def frames(self, settings: Settings, stamp: Stamp) -> Sequence[bytes]:
        """One frame if its readout is enabled, else none."""
        if not settings.mutant_readout:
            return []
        struct.pack_into(">I", self._frame, MUTANT_NUMBER_OFFSET, stamp.number & 0xFFFF_FFFF)
        return [bytes(self._frame)]


Pulses = dict[tuple[int, int], tuple[float, float]]


def _partial_items(rng: np.random.Generator, pulses: Pulses, settings: Settings) -> Samples:
    """The hit channels, and the noise channels if they are to be read, one after the other."""
    quiet = product(range(4), FPN_CHANNELS) if settings.fpn_read else ()
    channels = sorted({**dict.fromkeys(quiet, (0.0, 0.0)), **pulses}.items())
    items = np.zeros((len(channels), settings.depth), SAMPLE_DTYPE)
    if channels:
        values = np.array([value for _, value in channels], dtype=float)
        items["aget"] = np.array([key[0] for key, _ in channels])[:, None]
        items["channel"] = np.array([key[1] for key, _ in channels])[:, None]
        items["bucket"] = np.arange(settings.depth)
        items["sample"] = waveforms(rng, values[:, 0], values[:, 1])[:, : settings.depth]
    return items.ravel()


def _full_items(rng: np.random.Generator, pulses: Pulses, settings: Settings) -> Samples:
    """Every channel of every chip, in the order of a full readout."""
    buckets, heights = np.zeros((4, len(CHANNELS))), np.zeros((4, len(CHANNELS)))
    for (aget, channel), (bucket, height) in pulses.items():
        buckets[aget, channel], heights[aget, channel] = bucket, height
    waves = waveforms(rng, buckets.ravel(), heights.ravel()).reshape(4, len(CHANNELS), 512)
    items = full_readout_order(settings.depth)
    items["sample"] = waves[:, :, : settings.depth].transpose(2, 1, 0).ravel()
    return items


def _patterns(channels: Iterable[tuple[int, int]]) -> tuple[int, int, int, int]:
    """Hit patterns of the four AGETs: channel c is bit 67-c (facts 5)."""
    patterns = [0, 0, 0, 0]
    for aget, channel in channels:
        patterns[aget] |= 1 << (CHANNELS[-1] - channel)
    return patterns[0], patterns[1], patterns[2], patterns[3]


def _quad(rng: np.random.Generator) -> tuple[int, int, int, int]:
    cells = rng.integers(0, 512, 4)
    return int(cells[0]), int(cells[1]), int(cells[2]), int(cells[3])
