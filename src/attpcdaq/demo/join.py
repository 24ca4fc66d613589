"""`python -m attpcdaq.demo.join HOST < ANNOUNCED`: a simulated detector that runs at HOST becomes the setup."""

import json
import sys


def main(host: str) -> None:
    """Experiment, setup and configurations, as the demo has them; repeatable, and nothing of a crew's is changed."""
    import django

    django.setup()
    from attpcdaq.audit.people import at_the_console
    from attpcdaq.demo import prepare
    from attpcdaq.runcontrol.asking.setup_changes import load
    from attpcdaq.topology import setup_store

    setup = prepare.setup_of(json.load(sys.stdin), host)
    prepare.make_experiment()
    if setup_store.read() != setup:
        load(setup, at_the_console("simulator"))
    prepare.choose_configurations()


if __name__ == "__main__":
    main(sys.argv[1])
