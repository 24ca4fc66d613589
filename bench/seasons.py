"""How long pages take when a season's runs are in the database: PostgreSQL where the bench has it, else SQLite."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Figure, percentile
from tests.services.postgresql import running_postgresql
from tests.services.processes import ServiceError

LONGEST = 900.0


def measure() -> dict[str, Figure]:
    """By key of bench.goals: 99 % of the slowest page, and the run list of a long season, in ms."""
    with _database() as (url, kind):
        told = _measured(url)
    p99 = {address: 1000 * percentile(times, 0.99) for address, times in told["pages"].items()}
    slowest = max(p99, key=lambda address: p99[address])
    middle = statistics.median(told["pages"][slowest])
    next_ones = ", ".join(
        f"{address} {p99[address]:.0f} ms" for address in sorted(p99, key=p99.__getitem__)[-5:-1][::-1]
    )
    note = f"{kind}; {len(p99)} pages; slowest is {slowest}, median {1000 * middle:.0f} ms; then {next_ones}"
    return {
        "pages_p99": Figure((p99[slowest],), note),
        "runs_10000": Figure(tuple(1000 * seconds for seconds in told["runs_10000"]), kind),
    }


@contextmanager
def _database() -> Iterator[tuple[str, str]]:
    """Its address, and what it is."""
    try:
        with running_postgresql() as server:
            yield server.create_database("season"), "PostgreSQL"
    except ServiceError:
        with tempfile.TemporaryDirectory(prefix="attpcdaq-bench-") as directory:
            yield f"sqlite:///{directory}/season.sqlite3", "SQLite"


def _measured(url: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="attpcdaq-bench-") as directory:
        settings = {
            "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
            "ATTPCDAQ_DATABASE_URL": url,
            "ATTPCDAQ_BROKER_URL": f"filesystem://{Path(directory) / 'broker'}",
            "ATTPCDAQ_SECRET_KEY": "only for measuring, " * 3,
        }
        command = [sys.executable, "-m", "bench.page_times"]
        done = subprocess.run(
            command, env=os.environ | settings, stdout=subprocess.PIPE, timeout=LONGEST, check=True, text=True
        )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
