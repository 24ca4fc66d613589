"""`python -m attpcdaq.demo.join HOST < ANNOUNCED`: a simulated detector that runs at HOST becomes the setup."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def main(told: Mapping[str, Any], host: str) -> None:
    """Experiment, setup and configurations, as the demo has them; where there is another setup, it stays as it is."""
    import django

    django.setup()
    from attpcdaq.audit.people import at_the_console
    from attpcdaq.demo import prepare
    from attpcdaq.runcontrol.asking.refusals import CommandRefused
    from attpcdaq.runcontrol.asking.setup_changes import load, planned
    from attpcdaq.topology import setup_store
    from attpcdaq.topology.setup import Setup

    setup = prepare.setup_of(told, host)
    if setup_store.read() != Setup() and planned(setup):
        print("The setup is not that of the simulated detector: it was left as it is.")
        return
    try:
        prepare.make_experiment()
        load(setup, at_the_console("simulator"))
        prepare.choose_configurations()
    except CommandRefused as error:
        sys.exit(f"The simulated detector was not made the setup: {error}")


if __name__ == "__main__":
    main(json.load(sys.stdin), sys.argv[1])
