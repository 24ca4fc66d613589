"""The API against its own document: whatever is sent, the answer is one that the document names."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from attpcdaq.audit.people import DAQ
from attpcdaq.live.models import ECCState, MonitorLease
from attpcdaq.runlog.models import Measurement, RunFile
from attpcdaq.runlog.observables import add
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import tokens
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.people import operator

# The document as the API itself gives it; reading it needs no database.
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=WSGIHandler())
BOUNDED = settings(
    max_examples=15,
    deadline=None,
    # The rows of the fixture stay for all examples: every one may meet what the ones before it left.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture
def kept_connection(db: None) -> Iterator[None]:
    """As Django's own test client does: the end of a request does not end the test's transaction."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def bearer(kept_connection: None) -> dict[str, str]:
    """A token, and rows so that answers are not empty."""
    MonitorLease.objects.create(at=NOON, until=NOON)
    for server in build_detector(cobos=2).ecc_servers:
        ECCState.objects.create(ecc_server=server, state=1, seen_at=NOON)
    run = make_run(make_experiment(), 1, title="alphas")
    RunFile.objects.create(run=run, kind="data", node="node-cobo0", owner="router-cobo0", path="/a.graw", size=1 << 40)
    Measurement.objects.create(run=run, observable=add(run.experiment, DAQ, "P", "number", "torr", ""), value="1e-3")
    return {"Authorization": f"Bearer {tokens.create('schema', operator(), DAQ)}"}


@schema.parametrize()
@BOUNDED
def test_every_answer_is_one_that_the_document_names(case: schemathesis.Case, bearer: dict[str, str]) -> None:
    # Which server names are known, no document can say.
    case.call_and_validate(headers=bearer, excluded_checks=[positive_data_acceptance])
