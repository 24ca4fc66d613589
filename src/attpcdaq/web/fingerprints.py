"""Whether what somebody saw is still so: setups and their rows by what they say."""

import hashlib
import json
from dataclasses import asdict

from attpcdaq.topology.setup import Entry, Setup
from attpcdaq.topology.setup_file import dump


def fingerprint(setup: Setup) -> str:
    """Another for every other setup."""
    return hashlib.sha256(dump(setup).encode()).hexdigest()


def fingerprint_of(entry: Entry) -> str:
    """The same for one row."""
    return hashlib.sha256(json.dumps(asdict(entry), sort_keys=True).encode()).hexdigest()
