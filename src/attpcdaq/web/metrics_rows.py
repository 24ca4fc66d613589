"""What the rows tell: the names and meanings of docs/operations.md, collected when somebody asks."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.db import Error
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from attpcdaq.config.version import VERSION
from attpcdaq.live import database_troubles
from attpcdaq.live.beats import Beat
from attpcdaq.live.models import ECCState, MonitorLease, NodeState, RouterState
from attpcdaq.runcontrol.models import Command
from attpcdaq.runcontrol.seeing.system_checks import Check, fresh, judge
from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.runlog.models import OPEN_STATES, Run
from attpcdaq.web.metrics_steps import BOUNDS, StepDurations

LEVELS = {"ok": 0, "warn": 1, "fail": 2}


class Rows(Collector):
    """Collects at each request; what the database does not give is left out, the checks say why."""

    def __init__(self, now: Callable[[], datetime] = timezone.now) -> None:
        self._now = now
        self._steps = StepDurations()

    def describe(self) -> Iterable[Metric]:
        """Nothing: otherwise the database would be asked when the registry is made."""
        return []

    def collect(self) -> Iterator[Metric]:
        seen = HEALTH.seen()
        info = InfoMetricFamily("attpcdaq", "The version of the program that answers.")
        info.add_metric([], {"version": VERSION})
        yield info
        yield _checks(judge(seen))
        if not seen.readable or seen.schema:
            return
        yield from _processes(seen.beats)
        yield from _counted(seen.beats)
        try:
            yield from [*_ages(self._now()), *_lease(), *_work(), self._durations()]
        except Error as error:
            database_troubles.note(error)

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "attpcdaq_transition_duration_seconds",
            "Time from sending a transition until the state was read back, of all steps in the database.",
            labels=["transition", "outcome"],
        )
        for (transition, outcome), spread in self._steps.now().items():
            bounds = [*map(str, BOUNDS), "+Inf"]
            cumulated = list(zip(bounds, [*spread.within, spread.count], strict=True))
            family.add_metric([transition, outcome], buckets=cumulated, sum_value=spread.seconds)
        return family


def gauge(name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """One gauge with its labels and values."""
    family = GaugeMetricFamily(f"attpcdaq_{name}", text, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def _checks(checks: tuple[Check, ...]) -> Metric:
    found = (((check.name,), LEVELS[check.level]) for check in checks)
    return gauge("check", "A health check: 0 ok, 1 warning, 2 failed.", ("check",), found)


def _processes(beats: tuple[Beat, ...]) -> Iterator[Metric]:
    of = ("service", "host")
    each = [((beat.service, beat.host), beat) for beat in beats]
    yield gauge("beat_age_seconds", "Since a process last said that it is at work.", of, ((k, b.age) for k, b in each))
    yield gauge("clock_skew_seconds", "A host's clock ahead of the database's.", of, ((k, b.skew) for k, b in each))
    yield gauge("uptime_seconds", "Since a process was started.", of, ((k, b.up_for) for k, b in each))


def _counted(beats: tuple[Beat, ...]) -> Iterator[Metric]:
    """What the processes count themselves: from their beats."""
    tasks = CounterMetricFamily("attpcdaq_tasks", "Tasks of a worker that ended.", labels=["task", "outcome", "host"])
    for beat in beats:
        for name, value in beat.numbers.items() if beat.service.startswith("celery-") else ():
            outcome, _, task = name.partition(".")
            tasks.add_metric([task, outcome, beat.host], value)
    yield tasks
    monitors = fresh(beats, "monitor")
    readings = CounterMetricFamily("attpcdaq_monitor_readings", "Readings of hardware.", labels=["host"])
    for beat in monitors:
        readings.add_metric([beat.host], beat.numbers.get("readings", 0))
    yield readings
    queues = {
        name.removeprefix("queue."): value
        for beat in monitors
        for name, value in beat.numbers.items()
        if name.startswith("queue.")
    }
    yield gauge("queue_messages", "Messages that wait in a queue.", ("queue",), (((q,), v) for q, v in queues.items()))
    # Nobody follows the stream of a process that is gone. The page's own process has one of its own in the demo only.
    telling = [b for service in ("web", "events") for b in fresh(beats, service) if "stream_clients" in b.numbers]
    streams = {(b.host,): b.numbers["stream_clients"] for b in telling}.items()
    yield gauge("stream_clients", "Browsers that follow the event stream.", ("host",), streams)


def _ages(now: datetime) -> Iterator[Metric]:
    ecc = ECCState.objects.exclude(seen_at=None).values_list("ecc_server__name", "seen_at")
    routers = RouterState.objects.exclude(seen_at=None).values_list("data_router__name", "seen_at")
    text = "Since an ECC server answered the monitor last."
    yield gauge("ecc_poll_age_seconds", text, ("ecc_server",), (((n,), _since(at, now)) for n, at in ecc))
    text = "Since the node of a data router told of it last."
    yield gauge("router_poll_age_seconds", text, ("data_router",), (((n,), _since(at, now)) for n, at in routers))
    clocks = NodeState.objects.exclude(clock_offset=None).values_list("node__name", "clock_offset")
    yield gauge(
        "node_clock_offset_seconds",
        "A node's clock ahead of ours.",
        ("node",),
        (((n,), o) for n, o in clocks if o is not None),
    )


def _since(at: datetime | None, now: datetime) -> float:
    return (now - at).total_seconds() if at else float("nan")


def _lease() -> Iterator[Metric]:
    term = MonitorLease.objects.values_list("term", flat=True).first()
    yield gauge("monitor_lease_term", "Counts how often a monitor took over.", (), [((), term or 0)])


def _work() -> Iterator[Metric]:
    runs = Run.objects.order_by().values_list("state").annotate(count=Count("pk"))
    yield gauge("runs", "Runs by state.", ("state",), (((state,), count) for state, count in runs))
    number = Run.objects.filter(state__in=OPEN_STATES).values_list("number", flat=True).first()
    yield gauge("run_open_number", "Number of the open run, 0 for none.", (), [((), number or 0)])
    commands = Command.objects.order_by().values_list("action", "state").annotate(count=Count("pk"))
    text = "Commands by action and state."
    yield gauge("commands", text, ("action", "state"), (((action, state), n) for action, state, n in commands))
