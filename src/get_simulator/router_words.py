"""What a data router prints (facts 4): `--` debug, `==` info, `!!` warning, `**` error before each line."""

from collections.abc import Callable

from get_simulator.description import RouterSpec
from get_simulator.frame_store import STORED


class RouterWords:
    """`say` takes each line; three more for every frame where `frames` is set, as the real program prints them."""

    def __init__(self, spec: RouterSpec, say: Callable[[str], None], *, frames: bool) -> None:
        self._spec, self._say, self._frames = spec, say, frames

    def started(self, port: int, *, deaf: bool) -> None:
        spec = self._spec
        self._say(f"== {spec.program} {spec.link_type} FrameStorage in {spec.staging}, data {spec.address}:{port}")
        if deaf:
            self._say(f"** Binding socket {spec.address}:{port} failed: Address already in use")

    def waiting(self) -> None:
        """Without a line feed, so that a terminal shows it once and a file as one line without an end."""
        self._say(" Waiting for client connection ...\r")

    def connected(self, port: int) -> None:
        """The port is told with its bytes swapped."""
        swapped = int.from_bytes(port.to_bytes(2, "big"), "little")
        self._say(f"\n== Connection established between peer and {self._spec.address}:{swapped}")

    def disconnected(self, unfinished: int) -> None:
        self._say("== Connection closed by peer")
        if unfinished:
            self._say(f"!! {unfinished} bytes of an unfinished frame are discarded")

    def new_file(self, name: str) -> None:
        self._say(f"== New file: ./{name}")

    def dropped(self, frame: bytes) -> None:
        """An unknown type is told, a full disk is not."""
        kind = _type(frame)
        if kind not in STORED:
            self._say(f"!! Dumping frame of type {kind:#x}")

    def stored(self, frame: bytes) -> None:
        if self._frames:
            self._say(f"-- Frame header: type {_type(frame):#x}, revision {frame[7]}")
            self._say(f"-- Frame of {len(frame)} B is complete")
            self._say(f"-- {len(frame)} B were stored")


def _type(frame: bytes) -> int:
    return int.from_bytes(frame[5:7], "big")
