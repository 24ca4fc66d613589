"""What is in a GRAW file, from its frame headers alone (facts 5): one pass, nothing decoded, constant memory.

Standard library only and Python 3.8 or newer: the same module runs on the nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

MOST_RANGES = 1000
"""Ranges of event numbers that a summary keeps; beyond it `ranges_dropped` counts them."""


@dataclass
class Summary:
    """Frames of one file; times in ticks of 10 ns, None where there is no frame or the type carries none."""

    size: int = 0
    frames: int = 0
    first_event: Optional[int] = None
    last_event: Optional[int] = None
    first_time: Optional[int] = None
    last_time: Optional[int] = None
    ranges: List[Tuple[int, int]] = field(default_factory=list)
    """Event numbers in file order, as first and last of runs without a gap."""
    ranges_dropped: int = 0
    missing: int = 0
    """Event numbers left out between the first and the last, where they only go up."""
    numbers_back: int = 0
    """Frames whose event number is not above the one before."""
    times_back: int = 0
    """Frames whose time stamp is below the one before."""
    largest_step: int = 0
    """Longest time between two frames, in ticks."""
    sources: Dict[str, int] = field(default_factory=dict)
    """Frames by source: `CoBo3_AsAd1`, `MuTanT`."""
    tail: str = ""
    """Empty when the last frame is whole; `truncated` or `garbage`, and then what it is, in words, in `tail_text`."""
    tail_at: int = 0
    tail_text: str = ""
