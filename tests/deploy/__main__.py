"""`make test-deploy`: builds the images, runs the stack from a clean copy, drives it, breaks it, and takes it down.

Exit status 0 when all checks passed, 1 when not, 3 when there is no Docker Engine and none can be started.
"""

import argparse
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from tests.deploy.engine import describe, engine
from tests.deploy.programs import NoEngine
from tests.deploy.runner import Checks, GiveUpError
from tests.deploy.sequence import SEQUENCE, UPGRADE, World, run


def main() -> int:
    options = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with engine() as own:
            print(f"{describe()}{', started for these checks' if own else ''}", flush=True)
            return _check(options, own)
    except NoEngine as error:
        print(f"\nTHE CONTAINERS ARE NOT TESTED: {error}\n", file=sys.stderr, flush=True)
        return 3
    except KeyboardInterrupt:
        print("\nInterrupted; what was brought up is taken down.", file=sys.stderr, flush=True)
        return 130


def _check(options: argparse.Namespace, own: bool) -> int:
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="attpcdaq-") as place:
        world = World(checks, Path(place), own, options.commit)
        try:
            run(world, options.only)
        except GiveUpError as error:
            print(f"The rest stands on this: {error}", flush=True)
        except Exception:  # not a check's word: a fault in the checks themselves, or of what lies between them
            checks.broken(traceback.format_exc())
        finally:
            world.tidy_up()
    return checks.close()


def _end(number: int, _: object) -> None:
    """As with Ctrl-C: whatever was brought up is taken down."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.deploy", description=__doc__)
    parser.add_argument("--commit", help="test this commit instead of the working tree")
    parser.add_argument("--only", nargs="*", choices=[*SEQUENCE, UPGRADE], help="these parts (all of them)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
