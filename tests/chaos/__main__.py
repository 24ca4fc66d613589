"""`make chaos CYCLES=1000 SEED=1`: cycles of runs with faults at random moments, each of them checked."""

import argparse
import sys
import time
from itertools import chain

from tests.chaos.campaign import blocks, campaign, sabotaged
from tests.chaos.checker import KINDS
from tests.chaos.command_line import parser_of, positive, run, sabotage_seen, told
from tests.chaos.report import Summary, complaint, report


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
    told(report(summary, seconds, lines), options.report)
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
    return sabotage_seen(
        (kind, not quiet.findings and kind in {finding.kind for finding in harmed.findings}, harmed.findings)
        for kind, (quiet, harmed) in sabotaged(seed).items()
    )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("tests.chaos", __doc__, "cycles", 1000)
    parser.add_argument("--only", type=int, metavar="N", help="only the cycle with this number, in a new world")
    parser.add_argument("--real", type=positive, metavar="N", help="then N kills of each kind with the real services")
    return parser


if __name__ == "__main__":
    run("tests.chaos", main)
