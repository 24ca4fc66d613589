"""python -m get_simulator [DESCRIPTION.toml]: a simulated GET detector in one process."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web

from get_simulator.announce import announcement, write_announcement
from get_simulator.clock import SystemClock
from get_simulator.control import Control
from get_simulator.description import Description
from get_simulator.description_file import BadDescription, describe, read_description
from get_simulator.detector import Detector
from get_simulator.ports import PortTaken

SECTION_OF = {
    "address": "detector",
    "cobos": "detector",
    "mutant": "detector",
    "ecc_servers": "detector",
    "link_type": "detector",
    "ecc_port": "detector",
    "data_port": "detector",
    "ssh_port": "detector",
    "agents": "detector",
    "agent_port": "detector",
    "program": "detector",
    "control_port": "detector",
    "rollover_bytes": "detector",
    "event_rate": "physics",
    "readout": "physics",
    "speed": "timing",
    "user": "ssh",
    "authorized_keys": "ssh",
    "host_key": "ssh",
}
NUMBERS = {"event_rate": float, "speed": float, "cobos": int, "agents": int, "rollover_bytes": int}
EPILOG = """\
Without a description file the default detector is simulated: 10 CoBos and a MuTAnT, each with an ECC server, a data
router and a node of its own. Options override the description. The example get_simulator/example.toml explains
every key. It runs until SIGTERM or Ctrl-C; when everything listens it writes the announce file.
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 after SIGTERM or SIGINT, 2 for a wrong description or a port that is taken."""
    options = _parser().parse_args(arguments)
    try:
        description = _description(options)
        asyncio.run(run(description, options.data, options.announce))
    except (BadDescription, PortTaken, OSError) as error:
        print(f"get_simulator: {error}", file=sys.stderr)
        return 2
    return 0


async def run(description: Description, data: Path, announce: Path | None) -> None:
    """Simulate until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    detector = Detector(description, data, SystemClock())
    runner = web.AppRunner(Control(detector).application(), access_log=None, shutdown_timeout=1.0)
    try:
        await detector.start()
        await runner.setup()
        await web.TCPSite(runner, description.control_address, description.control_port).start()
        control_port = runner.addresses[0][1]
        if announce is not None:
            write_announcement(announce, announcement(detector, control_port))
        print(
            f"get_simulator: {len(detector.boards)} boards; control http://{description.control_address}:{control_port}",
            flush=True,
        )
        await stopped.wait()
    finally:
        await detector.stop()
        await runner.cleanup()


def _description(options: argparse.Namespace) -> Description:
    overrides: dict[str, dict[str, object]] = {"detector": {}, "physics": {}, "timing": {}, "ssh": {}}
    for key, section in SECTION_OF.items():
        value = getattr(options, key)
        if value is not None:
            overrides[section][key] = value
    if options.description is None:
        return describe({}, overrides)
    return read_description(options.description, overrides)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m get_simulator",
        description="Simulates a GET detector: ECC servers, boards, data routers and nodes.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("description", nargs="?", type=Path, metavar="DESCRIPTION.toml", help="what to simulate")
    parser.add_argument(
        "--data", type=Path, default=Path("simulator-data"), help="directory for the nodes' files [%(default)s]"
    )
    parser.add_argument("--announce", type=Path, metavar="FILE", help="JSON file to be written when all is up")
    for key, section in SECTION_OF.items():
        kind = NUMBERS.get(key, int if key.endswith("port") else str)
        parser.add_argument(f"--{key.replace('_', '-')}", type=kind, metavar="X", help=f"overrides {section}.{key}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
