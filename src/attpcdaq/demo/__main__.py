"""`python -m attpcdaq.demo --port 8080 --data demo-data`."""

import argparse
import sys
from pathlib import Path

from attpcdaq.demo import session
from attpcdaq.demo.place import DemoError, Place


def main() -> int:
    """0 after Ctrl-C or SIGTERM; 1 when it could not go on, 2 when a setting is wrong, with a line that says why."""
    options = _parser().parse_args()
    place = Place(options.data)
    try:
        place.make()
        lock = place.lock()
        session.check_port(options.port)
    except DemoError as error:
        return _fail(error, 2)
    with lock:
        try:
            session.run(place, options.port)
        except DemoError as error:
            return _fail(error, 1)
    return 0


def _fail(error: DemoError, status: int) -> int:
    sys.stderr.write(f"demo: {error}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make demo",
        usage="make demo [PORT=8080] [DATA=demo-data]",
        description="The whole system against a simulated detector, on 127.0.0.1 only.",
    )
    parser.add_argument("--port", type=_port, default=8080, help="TCP port of the pages [8080]")
    parser.add_argument(
        "--data", type=_directory, default=Path("demo-data"), help="where everything is kept [demo-data]"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"PORT={text} is not a port: give a whole number from 1 to 65535")
    return int(text)


def _directory(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("DATA is empty: name a directory, which is made if there is none")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
