"""`python3 deploy/stack VERB`: the containers of the AT-TPC DAQ.

Needs Python 3.11, Docker Engine and Compose. No package, so that it runs where nothing is installed.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from place import ROOT
from trouble import Trouble
from verbs import VERBS


def main() -> int:
    """0 when done; 1 with one line on stderr that says what is wrong and what to do."""
    options = vars(_parser().parse_args())
    verb = options.pop("verb")
    try:
        with _alone(verb):
            VERBS[verb](**options)
    except (Trouble, OSError) as error:
        print(f"attpcdaq: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("attpcdaq: interrupted; saying the same again goes on", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _alone(verb: str) -> Iterator[None]:
    """Two that change the same containers would undo each other's work."""
    directory = os.open(ROOT, os.O_RDONLY)
    try:
        if verb != "logs":
            _lock(directory)
        yield
    finally:
        os.close(directory)


def _lock(directory: int) -> None:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Trouble(f"another verb is at work in {ROOT}: wait until it has ended") from None
    except OSError:
        # Some network file systems lock no directories: no reason to refuse.
        return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/stack", description="The containers of the AT-TPC DAQ.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up", help="build and start everything, and wait until it is healthy")
    up.add_argument("--simulator", action="store_true", help="with a simulated detector, which becomes the setup")
    verbs.add_parser("down", help="end all containers; the data stay")
    logs = verbs.add_parser("logs", help="follow what the containers say")
    logs.add_argument("services", nargs="*", help="of these services only")
    verbs.add_parser("backup", help="dump the database now")
    restore = verbs.add_parser("restore", help="put a dump in the place of the database")
    restore.add_argument("file", help="a dump that `backup` made")
    upgrade = verbs.add_parser("upgrade", help="dump, migrate and restart with this copy's version; back if it fails")
    for verb in (restore, upgrade):
        verb.add_argument("--force", action="store_true", help="even while a run is open")
    verbs.add_parser("renew-certificate", help="a new certificate for the pages, where we made the last one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
