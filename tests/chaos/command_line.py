"""What the command lines of the campaigns (`tests.chaos`, `tests.closeout`) have in common."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HASHES = "PYTHONHASHSEED"


def parser_of(module: str, about: str | None, counted: str, default: int) -> argparse.ArgumentParser:
    """A parser with the options that each campaign has; `counted` is what it does so many of."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument(f"--{counted}", type=positive, default=default, help="how many [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same faults [%(default)s]")
    parser.add_argument(
        "--workers", type=positive, default=os.cpu_count() or 1, help="processes at a time [%(default)s]"
    )
    parser.add_argument("--schedule", action="store_true", help="print what would strike when, and do nothing")
    parser.add_argument("--sabotage", action="store_true", help="break things on purpose, and see that it is said")
    parser.add_argument("--report", type=Path, help="write the report to this file as well")
    return parser


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def told(text: str, report: Path | None) -> None:
    """Print the report, and keep it where it was asked for."""
    if report is not None:
        report.write_text(text + "\n", encoding="utf-8")
    print(text)


def sabotage_seen(outcomes: Iterable[tuple[str, bool, Iterable[object]]]) -> int:
    """Say of each way of tampering whether it was reported, and what was; the exit status."""
    missed = 0
    for way, reported, findings in outcomes:
        missed += not reported
        print(f"{way}: {'reported' if reported else 'MISSED'}", *findings, sep="\n    ")
    return 1 if missed else 0


def run(module: str, main: Callable[[], int]) -> None:
    """Run it and exit: with hashes that do not change, for the order of sets of names is part of what repeats."""
    if os.environ.get(HASHES) is None:
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, HASHES: "0"})
    sys.exit(main())


def campaign_of_its_own(module: str, *options: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """A campaign in processes of its own, with databases of their own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATTPCDAQ_", "DJANGO_"))}
    command = [sys.executable, "-m", module, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)


def assert_ends_with(module: str, *options: str, last: str) -> None:
    """The short form of a campaign finds nothing."""
    done = campaign_of_its_own(module, *options, seconds=600)
    assert done.stdout.rstrip().splitlines()[-1] == last, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout


def assert_sabotage_is_seen(module: str, ways: Iterable[str]) -> None:
    """The checker reports each of these ways of tampering."""
    done = campaign_of_its_own(module, "--sabotage", seconds=300)
    said = [line for line in done.stdout.splitlines() if line.endswith((": reported", ": MISSED"))]
    assert said == [f"{way}: reported" for way in ways], done.stdout + done.stderr
    assert done.returncode == 0
