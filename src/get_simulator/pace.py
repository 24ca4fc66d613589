"""How fast the simulated detector works; both figures may be changed while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from get_protocol.state_machine import Transition
from get_simulator.description import Timing


@dataclass(slots=True)
class Pace:
    """Durations of the operations, divided by `speed`; triggers come at `event_rate` per second."""

    timing: Timing
    speed: float
    event_rate: float

    def seconds(self, transition: Transition, boards: Sequence[str]) -> float:
        return self.scaled(self.timing.duration(transition, boards))

    def scaled(self, seconds: float) -> float:
        """What takes `seconds` at speed 1."""
        return seconds / self.speed
