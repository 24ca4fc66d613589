"""Measured numbers, and how they are told."""

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.goals import GOALS, Goal


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of some trials; `note` says what is worth knowing about them."""

    trials: tuple[float, ...]
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.trials)


Figures = Mapping[str, Figure]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(figures: Figures) -> str:
    """goal | figure | old system's figure | met?"""
    rows = [("what", "goal", "figure", "old system", "met?")]
    rows += [_row(goal, figures[goal.key]) for goal in GOALS if goal.key in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(goal: Goal, figure: Figure) -> tuple[str, str, str, str, str]:
    sign = ">=" if goal.at_least else "<="
    limit = "" if goal.limit is None else f"{sign} {goal.limit:g} {goal.unit}"
    met = {True: "yes", False: "NO", None: ""}[goal.is_met(figure.median)]
    return goal.what, limit, f"{figure.median:.3g} {goal.unit}", goal.old, met


def report(figures: Figures) -> dict[str, Any]:
    """The same for machines."""
    return {
        "machine": machine(),
        "figures": [
            {
                "key": goal.key,
                "what": goal.what,
                "unit": goal.unit,
                "goal": goal.limit,
                "median": figures[goal.key].median,
                "trials": list(figures[goal.key].trials),
                "old_system": goal.old,
                "met": goal.is_met(figures[goal.key].median),
                "note": figures[goal.key].note,
            }
            for goal in GOALS
            if goal.key in figures
        ],
    }


def write(path: Path, figures: Figures) -> None:
    path.write_text(json.dumps(report(figures), indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_the_end": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in _lines(info) if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
