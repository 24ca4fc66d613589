"""The panels of rates, drawn once for all who look at them."""

from collections.abc import Callable

from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from attpcdaq.runlog.models import Run
from attpcdaq.web import rates
from attpcdaq.web.rates_kept import Kept
from attpcdaq.web.rates_recent import RecentPoints

TEMPLATE = "rates/plots.html"
NONE_YET = "Nothing was seen of the data routers in the last ten minutes."
NONE_OF_RUN = "Nothing was seen of the data routers during this run."
_kept = Kept()
_recent = RecentPoints(rates.RECENT, rates.RECENT_STEP)


def recent_html() -> SafeString:
    """The plots of the last ten minutes; cheap, for everybody who looks asks for it every second."""
    # Within a transaction nothing is kept: what it wrote may never have been.
    points = RecentPoints(rates.RECENT, rates.RECENT_STEP) if connection.in_atomic_block else _recent
    return _shared(
        "recent", lambda: rates.recent(timezone.now(), points), {"when": "now", "empty": NONE_YET, "id": "recent"}
    )


def run_html(run: Run) -> SafeString:
    """The plots of a whole run."""
    words = {"when": "now" if run.is_open else "at the end", "empty": NONE_OF_RUN, "id": "run"}
    return _shared(f"run {run.pk} {run.state}", lambda: rates.of_run(run, timezone.now()), words)


def _shared(name: str, make: Callable[[], rates.Rates | None], words: dict[str, str]) -> SafeString:
    return _kept.get(name, lambda: render_to_string(TEMPLATE, words | {"rates": make()}))
