"""`make closeout RUNS=200 SEED=1`: runs with everything that goes wrong at their end, each frame of them looked at."""

import argparse
import sys
import time

from tests.chaos.command_line import parser_of, run, sabotage_seen, told
from tests.closeout.campaign import campaign, sabotaged
from tests.closeout.plan import BLOCK, BlockPlan, block, blocks
from tests.closeout.report import Summary, complaint, report
from tests.closeout.ways import WAYS


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
    told(report(summary, time.monotonic() - began), options.report)
    return 0 if summary.clean else 1


def _plans(options: argparse.Namespace) -> list[BlockPlan]:
    if options.only is None:
        return blocks(options.seed, options.runs)
    return [block(options.seed, options.only // BLOCK)]


def _sabotage(seed: int) -> int:
    """Whether the checker reports everything that is made to happen, and nothing in the quiet block."""
    return sabotage_seen(
        (
            way,
            not quiet.findings and WAYS[way] in {finding.kind for finding in harmed.findings},
            (*quiet.findings, *harmed.findings),
        )
        for way, (quiet, harmed) in sabotaged(seed).items()
    )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("tests.closeout", __doc__, "runs", 200)
    parser.add_argument("--only", type=int, metavar="N", help=f"only the block of {BLOCK} runs that has this run")
    parser.add_argument("--told", action="store_true", help="print what the crew did in every block")
    return parser


if __name__ == "__main__":
    run("tests.closeout", main)
