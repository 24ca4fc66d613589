"""A detector as the monitor saw it, and people who look at it; written through the live store."""

from datetime import datetime, timedelta

from django.test import Client
from django.utils import timezone

from attpcdaq.gateways.ports import GrawFile, RouterReading
from attpcdaq.live import store
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.builders import Detector
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition
from tests.live.writing import writing_term
from tests.web.people import browser, observer, operator

NONE = Transition.NONE


def person(name: str, *, operates: bool) -> Client:
    """A browser in which somebody is logged in."""
    return browser(operator(name) if operates else observer(name))


def see(detector: Detector, *states: State, transition: Transition = NONE, now: datetime | None = None) -> None:
    """Every ECC server in its state (the last one for those that are left), every router online and clean."""
    now = now or timezone.now()
    for number, server in enumerate(detector.ecc_servers):
        state = states[min(number, len(states) - 1)]
        store.record_ecc(server.pk, StateReply(0, "", state, transition), now)
    for router in detector.data_routers:
        store.record_router(router.pk, RouterReading(True, (), None, 10**11, 10**12, 4711), now)
    beat(detector, now)


def beat(detector: Detector, now: datetime) -> None:
    """The monitor read everything at `now`."""
    servers, routers = ([row.pk for row in rows] for rows in (detector.ecc_servers, detector.data_routers))
    store.touch(servers, routers, now, writing_term())


def see_data(detector: Detector, size: int, event: int) -> None:
    """Every router has one file of `size` bytes, written just now."""
    now = timezone.now()
    for router in detector.data_routers:
        reading = RouterReading(True, (GrawFile("CoBo0_AsAd0.graw", size, 0.0),), event, 10**11, 10**12, 4711)
        store.record_router(router.pk, reading, now, since=now - timedelta(seconds=1))


def open_run(**more: object) -> Run:
    """Run 7 of the active experiment, running for 90 s."""
    experiment = Experiment.objects.create(name="e20009", is_active=True, last_run_number=7)
    begun = timezone.now() - timedelta(seconds=90)
    fields = {"title": "16O on alpha", "state": "running", "requested_at": begun, "started_at": begun} | more
    return Run.objects.create(experiment=experiment, number=7, **fields)
