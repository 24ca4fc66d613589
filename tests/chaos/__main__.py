"""`make chaos CYCLES=1000 SEED=1`: cycles of runs with faults at random moments, each of them checked."""

import argparse
import os
import sys
import time
from itertools import chain
from pathlib import Path

from tests.chaos.campaign import blocks, campaign, sabotaged
from tests.chaos.checker import KINDS
from tests.chaos.report import Summary, complaint, report

HASHES = "PYTHONHASHSEED"


def main() -> int:
    options = _parser().parse_args()
    if options.schedule:
        print(
            "\n".join(
                str(one) for one in chain.from_iterable(plan for *_, plan in blocks(options.seed, options.cycles))
            )
        )
        return 0
    if options.sabotage:
        return _sabotage(options.seed)
    summary, began = Summary(options.seed), time.monotonic()
    for results in campaign(options.seed, options.cycles, options.workers, options.only):
        for result in results:
            summary.add(result)
            if result.findings:
                print(complaint(result), flush=True)
        print(f"{summary.cycles} cycles, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    lines = _real(options.seed, options.real, summary) if options.real else []
    text = report(summary, seconds, lines)
    if options.report is not None:
        options.report.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0 if summary.clean else 1


def _real(seed: int, of_each: int, summary: Summary) -> list[str]:
    """The lines of the part with the real services; what it found counts with the rest."""
    from tests.chaos.real_run import run_real

    real = run_real(seed, of_each, say=lambda text: print(text, file=sys.stderr, flush=True))
    for kind in KINDS:
        summary.broken[kind] += len(getattr(real.found, kind))
    return [
        "with the real services",
        *(f"  {line}" for line in real.lines),
        *(f"  !! {one}" for one in real.found.all()),
    ]


def _sabotage(seed: int) -> int:
    """Whether the checker reports everything that is made to happen, and nothing in the quiet cycle before."""
    missed = 0
    for kind, (quiet, harmed) in sabotaged(seed).items():
        reported = not quiet.findings and kind in {finding.kind for finding in harmed.findings}
        missed += not reported
        print(f"{kind}: {'reported' if reported else 'MISSED'}", *harmed.findings, sep="\n    ")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--cycles", type=_positive, default=1000, help="how many [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same schedule [%(default)s]")
    parser.add_argument("--only", type=int, metavar="N", help="only the cycle with this number, in a new world")
    parser.add_argument(
        "--workers", type=_positive, default=os.cpu_count() or 1, help="processes at a time [%(default)s]"
    )
    parser.add_argument("--schedule", action="store_true", help="print what would strike when, and do nothing")
    parser.add_argument("--real", type=_positive, metavar="N", help="then N kills of each kind with the real services")
    parser.add_argument(
        "--sabotage", action="store_true", help="break each rule once, and see that the checker says so"
    )
    parser.add_argument("--report", type=Path, help="write the report to this file as well")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


if __name__ == "__main__":
    if os.environ.get(HASHES) is None:
        # The order of sets of names is part of what repeats.
        os.execve(sys.executable, [sys.executable, "-m", "tests.chaos", *sys.argv[1:]], {**os.environ, HASHES: "0"})
    sys.exit(main())
