"""`make closeout RUNS=200 SEED=1`: runs with everything that goes wrong at their end, each frame of them looked at."""

import argparse
import os
import sys
import time
from pathlib import Path

from tests.closeout.campaign import campaign, sabotaged
from tests.closeout.plan import BLOCK, BlockPlan, block, blocks
from tests.closeout.report import Summary, complaint, report
from tests.closeout.ways import WAYS

HASHES = "PYTHONHASHSEED"


def main() -> int:
    options = _parser().parse_args()
    if options.schedule:
        print(*blocks(options.seed, options.runs), sep="\n")
        return 0
    if options.sabotage:
        return _sabotage(options.seed)
    summary, began = Summary(options.seed), time.monotonic()
    for result in campaign(_plans(options), options.workers):
        summary.add(result)
        if result.findings or options.told:
            print(complaint(result), flush=True)
        print(f"{summary.runs} runs, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    text = report(summary, time.monotonic() - began)
    if options.report is not None:
        options.report.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0 if summary.clean else 1


def _plans(options: argparse.Namespace) -> list[BlockPlan]:
    if options.only is None:
        return blocks(options.seed, options.runs)
    return [block(options.seed, options.only // BLOCK)]


def _sabotage(seed: int) -> int:
    """Whether the checker reports everything that is made to happen, and nothing in the quiet block."""
    missed = 0
    for way, (quiet, harmed) in sabotaged(seed).items():
        reported = not quiet.findings and WAYS[way] in {finding.kind for finding in harmed.findings}
        missed += not reported
        print(f"{way}: {'reported' if reported else 'MISSED'}", *quiet.findings, *harmed.findings, sep="\n    ")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.closeout", description=__doc__)
    parser.add_argument("--runs", type=_positive, default=200, help="how many [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same faults [%(default)s]")
    parser.add_argument("--only", type=int, metavar="N", help=f"only the block of {BLOCK} runs that has this run")
    parser.add_argument(
        "--workers", type=_positive, default=os.cpu_count() or 1, help="processes at a time [%(default)s]"
    )
    parser.add_argument("--schedule", action="store_true", help="print what would strike when, and do nothing")
    parser.add_argument("--sabotage", action="store_true", help="break things on purpose, and see that it is said")
    parser.add_argument("--told", action="store_true", help="print what the crew did in every block")
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
        os.execve(sys.executable, [sys.executable, "-m", "tests.closeout", *sys.argv[1:]], {**os.environ, HASHES: "0"})
    sys.exit(main())
