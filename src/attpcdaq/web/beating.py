"""The beats of the processes web and events; deploy/gunicorn.conf.py begins and ends them in the worker."""

from collections.abc import Mapping

from django.conf import settings

from attpcdaq.live.beater import Beater
from attpcdaq.live.beats import Numbers
from attpcdaq.web.hub import HUB

BOTH = "both"
_beater: Beater | None = None


def counts(service: str) -> Mapping[str, Numbers]:
    """The services of this process, and what each counts."""
    streams = {"stream_clients": HUB.listeners}
    if service == BOTH:
        return {"web": streams}
    return {service: streams if service == "events" else {}}


def begin(*, asgi: bool) -> None:
    """Beat for the service that ATTPCDAQ_SERVICE names, or as the kind of worker tells."""
    global _beater  # noqa: PLW0603  # one process, one heart
    service = settings.SERVICE or ("events" if asgi else "web")
    _beater = Beater(lambda: counts(service))
    _beater.start()


def end() -> None:
    """Nobody is to miss this process."""
    if _beater is not None:
        _beater.stop()
