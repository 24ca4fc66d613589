"""`python -m bench`: measure, print a table, write bench/report.json. Takes some minutes; nothing else should run."""

import sys
from pathlib import Path

from bench import commands, demo_figures, ecc_reads, figures, graw, node_reads, seasons

REPORT = Path(__file__).with_name("report.json")


def main() -> int:
    """0 when every goal is met, 1 when one is not."""
    if not sys.platform.startswith("linux"):
        sys.stderr.write("bench: memory and CPU of processes are read from /proc, so this needs Linux\n")
        return 2
    measured: dict[str, figures.Figure] = {}
    for key, measure in (
        ("get_state_cpu", ecc_reads.get_state_cpu),
        ("monitor_cpu_11", lambda: ecc_reads.monitor_cpu(11)),
        ("monitor_cpu_200", lambda: ecc_reads.monitor_cpu(200)),
        ("command_100", commands.hundred),
    ):
        _say(f"measuring {key} ...")
        measured[key] = measure()
    _say("measuring readings of nodes ...")
    measured |= node_reads.both_ends()
    _say("measuring scans of data files ...")
    measured |= graw.scans()
    _say("measuring pages with a season's runs ...")
    measured |= seasons.measure()
    _say("measuring a demo ...")
    measured |= demo_figures.measure()
    figures.write(REPORT, measured)
    _say(f"\n{figures.table(measured)}\n\n{figures.machine()}\nWritten to {REPORT}")
    missing = [goal.key for goal in figures.GOALS if goal.key not in measured]
    if missing:
        _say(f"not measured: {', '.join(missing)} (they need Playwright and Chromium: make dev-env)")
    return 1 if any(one["met"] is False for one in figures.report(measured)["figures"]) else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
