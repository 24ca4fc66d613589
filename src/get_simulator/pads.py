"""The pad plane and which pad is read by which channel (a plausible table, not the real one)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RADIUS_MM = 292.0
CHANNELS = range(68)
"""Channels of an AGET."""
FPN_CHANNELS = (11, 22, 45, 56)
"""They read no pad but the chip's fixed-pattern noise (facts 5)."""
PAD_CHANNELS = np.array([channel for channel in CHANNELS if channel not in FPN_CHANNELS])
PADS_PER_ASAD = 4 * len(PAD_CHANNELS)

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PadPlane:
    """Pads by index: for each its CoBo (counted from 0), AsAd, AGET and channel.

    `cell` gives the pad at a place of the square lattice of `pitch` mm, -1 where there is none.
    """

    pitch: float
    cell: Indices
    cobo: Indices
    asad: Indices
    aget: Indices
    channel: Indices

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Indices:
        """Pads below the points (mm from the beam axis), -1 beside the plane."""
        half = self.cell.shape[0] // 2
        column = np.clip(np.rint(x / self.pitch).astype(np.int64) + half, 0, 2 * half)
        row = np.clip(np.rint(y / self.pitch).astype(np.int64) + half, 0, 2 * half)
        pads: Indices = self.cell[column, row]
        return pads


@lru_cache(maxsize=4)
def pad_plane(cobos: int) -> PadPlane:
    """A round plane of 1,024 pads for each CoBo; each AsAd reads a wedge of it, its AGETs from the inside out."""
    count = cobos * 4 * PADS_PER_ASAD
    half = int(np.sqrt(count / np.pi)) + 2
    x, y = (grid.ravel() for grid in np.meshgrid(*[np.arange(-half, half + 1)] * 2, indexing="ij"))
    inside = np.argsort(np.hypot(x, y), kind="stable")[:count]
    x, y = x[inside], y[inside]
    radius = np.hypot(x, y)
    by_angle = np.argsort(np.arctan2(y, x), kind="stable")
    place = np.empty((2, count), np.int64)
    for number, pads in enumerate(by_angle.reshape(-1, PADS_PER_ASAD)):
        outwards = pads[np.argsort(radius[pads], kind="stable")]
        place[0, outwards], place[1, outwards] = number, np.arange(PADS_PER_ASAD)
    wedge, rank = place[0], place[1]
    cell = np.full((2 * half + 1, 2 * half + 1), -1, np.int64)
    cell[x + half, y + half] = np.arange(count)
    channel = PAD_CHANNELS[rank % len(PAD_CHANNELS)]
    return PadPlane(RADIUS_MM / float(radius.max()), cell, wedge // 4, wedge % 4, rank // len(PAD_CHANNELS), channel)
