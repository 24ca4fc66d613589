"""The lease as tests have it that write like a monitor."""

from attpcdaq.live import lease
from attpcdaq.live.lease import Term
from attpcdaq.live.models import MonitorLease

HOLDER = "tests"


def writing_term() -> Term:
    """The term of these tests, which begins when it is first asked for."""
    number = MonitorLease.objects.filter(holder=HOLDER).values_list("term", flat=True).first()
    term = lease.take(HOLDER, HOLDER) if number is None else Term(number, HOLDER)
    assert term is not None, "another has the lease"
    return term
