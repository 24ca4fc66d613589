"""How fast data files are scanned, in GB (10^9 bytes) per second of CPU time, the files being in the page cache."""

import json
import mmap
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attpcdaq.gateways.node_program_file import program_file
from bench.figures import Figure
from get_protocol.graw import FrameType, build_frame, full_readout_order
from get_protocol.graw_samples import SAMPLE_DTYPE
from get_protocol.graw_scan import scan

GB = 1e9
FULL_BYTES, SMALL_BYTES = 1 << 29, 1 << 28
TRIALS = 5
EVENT, TIME = slice(22, 26), slice(16, 22)
"""Where a big-endian header has them (facts 5)."""


def scans() -> dict[str, Figure]:
    """Full readout and one hit channel per frame, mapped; and on a node, where every byte is read for its checksum."""
    with tempfile.TemporaryDirectory() as directory:
        full = _write(Path(directory, "full.graw"), full_frame(), FULL_BYTES)
        small = _write(Path(directory, "small.graw"), small_frame(), SMALL_BYTES)
        return {
            "graw_scan_full": _speed(full, _mapped),
            "graw_scan_2k": _speed(small, _mapped),
            "graw_node": _speed(full, _on_a_node),
        }


def full_frame() -> bytes:
    """Every channel and bucket: 278,784 bytes."""
    compact = FrameType.COBO_COMPACT
    return build_frame(
        cobo_idx=0, asad_idx=0, event_idx=0, event_time=0, items=full_readout_order(512), frame_type=compact
    )


def small_frame() -> bytes:
    """One hit channel: 2,048 bytes of samples."""
    items = np.zeros(512, SAMPLE_DTYPE)
    items["bucket"] = np.arange(512)
    return build_frame(cobo_idx=0, asad_idx=0, event_idx=0, event_time=0, items=items)


def _write(path: Path, frame: bytes, size: int) -> Path:
    """As many of these frames as fit, with event numbers and times that go up."""
    one = bytearray(frame)
    with path.open("wb") as file:
        for event in range(size // len(frame)):
            one[EVENT], one[TIME] = event.to_bytes(4), (1000 * event).to_bytes(6)
            file.write(one)
    return path


def _speed(path: Path, look: Callable[[Path], int]) -> Figure:
    """`look` answers how many frames it saw."""
    size, frames = path.stat().st_size, look(path)
    trials = []
    for _ in range(TRIALS):
        before = _cpu_time()
        if look(path) != frames:
            raise RuntimeError(f"{path} does not hold the same twice")
        trials.append(size / (_cpu_time() - before) / GB)
    return Figure(tuple(trials), f"{frames} frames of {size // frames} bytes")


def _cpu_time() -> float:
    """Seconds of this process and of those that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _mapped(path: Path) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = scan(data)
    if found.tail or found.missing or found.size != found.frames * (found.size // found.frames):
        raise RuntimeError(f"{path} is not what was written")
    return found.frames


def _on_a_node(path: Path) -> int:
    program = path.with_name("program.pyz")
    program.write_bytes(program_file().data)
    command = [sys.executable, "-I", program, path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, check=True)
    return int(json.loads(done.stdout.splitlines()[-1])["summary"]["frames"])
