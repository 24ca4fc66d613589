"""Metrics for Prometheus: what this process counts of its requests, and what the rows tell when they are asked for."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_only_middleware
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from attpcdaq.web.metrics_rows import Rows

CONTENT_TYPE = CONTENT_TYPE_LATEST
GetResponse = Callable[[HttpRequest], HttpResponseBase]
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no hints
REGISTRY = CollectorRegistry()
ProcessCollector(namespace="attpcdaq_web", registry=REGISTRY)
REQUESTS = Histogram(
    "attpcdaq_request_duration_seconds",
    "Time from a request to its answer, in the process web; streams are not among them.",
    ("view", "method", "status"),
    buckets=BUCKETS,
    registry=REGISTRY,
)
REGISTRY.register(Rows())
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@sync_only_middleware
def timed(get_response: GetResponse) -> GetResponse:
    """Counts every request under the name of its address, never under the address itself: there are too many."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        response = get_response(request)
        if not response.streaming:
            match = request.resolver_match
            view = (match.view_name if match else "") or "none"
            method = request.method if request.method in METHODS else "other"
            labels = (view, str(method), f"{response.status_code // 100}xx")
            REQUESTS.labels(*labels).observe(time.monotonic() - began)
        return response

    return answer


def page() -> bytes:
    """Everything, as Prometheus reads it."""
    return generate_latest(REGISTRY)
