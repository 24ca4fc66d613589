"""`python -m bench.page_times`: the server's time for every page, with a season in the database of the settings.

Prints JSON: {"pages": {address: [seconds, ...]}, "runs_10000": [seconds, ...]}. The pages are those of the site's own
addresses; times are from the request's arrival in Django to its answer, everything in between included. Before each
something has happened, so that nothing is taken from what was drawn for another viewer.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module

import django

RUNS, MANY_RUNS, OBSERVABLES, EVENTS = 1000, 10_000, 50, 20_000
# So many that the slowest hundredth is not simply the slowest.
EACH = 100
# As the monitor does: what is too old would be drawn as unknown.
SEEN_EVERY = 10
CLASSES = ("production", "testing", "beam", "pulser", "junk")


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    seen = _fill()
    from tests.e2e.every_page import addresses

    client, pages = _client(), {}
    # As deploy/gunicorn.conf.py does in the server: addresses with all that they import, templates, and no look again.
    import_module("attpcdaq.config.urls")
    import_module("attpcdaq.web.templates_read").read_all()
    gc.collect()
    gc.freeze()
    for address in addresses():
        seen()
        if _is_page(client, address):
            pages[address] = _times(client, address, seen)
    _make_runs("season10000", MANY_RUNS, 0)
    many = _times(client, "/runs/?experiment=season10000", seen)
    sys.stdout.write(json.dumps({"pages": pages, "runs_10000": many}))


def _client():  # type: ignore[no-untyped-def]  # Django is not set up when this module is read
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    user = User.objects.create(username="bench")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="runcontrol"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _is_page(client, address: str) -> bool:  # type: ignore[no-untyped-def]
    answer = client.get(address)
    return answer.status_code == 200 and "text/html" in answer.headers.get("Content-Type", "")


def _times(client, address: str, seen: Callable[[], None]) -> list[float]:  # type: ignore[no-untyped-def]
    from attpcdaq.live.store import add_event

    found: list[float] = []
    for number in range(EACH):
        if number % SEEN_EVERY == 0:
            seen()
        add_event("ecc", "")
        began = time.perf_counter()
        answer = client.get(address)
        found.append(time.perf_counter() - began)
        assert answer.status_code == 200, (address, answer.status_code)
    return found


def _fill() -> Callable[[], None]:
    """The rows; what comes back lets the monitor see the detector anew."""
    from django.utils import timezone

    from attpcdaq.live.models import Event
    from attpcdaq.testing.builders import build_detector
    from get_protocol.state_machine import State
    from tests.web.seen import see

    detector = build_detector(cobos=10)
    _make_runs("demo", RUNS, OBSERVABLES)
    words = ("Ready -> Running", "Running -> Ready", "no answer within 2 s")
    Event.objects.bulk_create(
        Event(at=timezone.now(), topic="ecc", subject=f"ecc-cobo{number % 10}", text=words[number % 3])
        for number in range(EVENTS)
    )
    return lambda: see(detector, State.READY)


def _make_runs(experiment_name: str, runs: int, observables: int) -> None:
    """Closed runs of an hour each, with a sheet of so many observables."""
    from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run

    begin = datetime.now(UTC) - timedelta(hours=runs + 1)
    active = not Experiment.objects.exists()
    experiment = Experiment.objects.create(name=experiment_name, is_active=active, last_run_number=runs)
    wanted = Observable.objects.bulk_create(
        Observable(experiment=experiment, name=f"Observable {number}", unit="torr", position=number)
        for number in range(observables)
    )
    made = Run.objects.bulk_create(
        Run(
            experiment=experiment,
            number=number,
            title=f"run {number} on alpha",
            run_class=CLASSES[number % len(CLASSES)],
            state="closed",
            requested_at=begin + timedelta(hours=number),
            started_at=begin + timedelta(hours=number),
            stopped_at=begin + timedelta(hours=number, minutes=50),
            closed_at=begin + timedelta(hours=number, minutes=51),
        )
        for number in range(1, runs + 1)
    )
    Measurement.objects.bulk_create(
        (Measurement(run=run, observable=each, value=f"{run.number % 97}.5") for run in made for each in wanted),
        batch_size=5000,
    )


if __name__ == "__main__":
    main()
