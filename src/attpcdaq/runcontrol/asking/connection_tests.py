"""Trying whether something of the setup can be reached, before or after it is saved; it changes nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.audited import recorded
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import CommandState, ConnectionTest
from attpcdaq.topology.setup import EMPTY, Entry, NodeEntry, RouterEntry, ServerEntry, Setup
from attpcdaq.topology.setup_edit import find
from attpcdaq.topology.setup_entry import EntryError, read_entry

WHAT = "connection test"
KINDS: Mapping[str, str] = {"ecc": "ecc_server", "router": "data_router", "node": "node"}
"""What a test is called, and the table of the setup file."""
TAKEN_WITHIN = timedelta(seconds=5)
"""A worker begins at once or not at all: somebody looks at the page."""
TRIED_WITHIN = timedelta(seconds=10)
GONE_AFTER = TAKEN_WITHIN + TRIED_WITHIN + timedelta(seconds=3)
# Each may hold a thread of the worker for its time: the others are for commands and restarts.
AT_ONCE = 2
KEPT_FOR = timedelta(days=1)


def request_test(kind: str, row: Mapping[str, Any], setup: Setup, by: Requester, now: datetime) -> ConnectionTest:
    """Record that the row (keys of the setup file) is to be tried, and wake a worker up; its node is that of `setup`.

    BadCommand: a value that may not be. CommandRefused: too many are being tried.
    """
    with recorded(by, WHAT, str(row.get("name", ""))[:63], now):
        entry = _entry(kind, row)
        target = asdict(entry) | {"on": _node_of(entry, setup)}
        ConnectionTest.objects.filter(requested_at__lt=now - KEPT_FOR).delete()
        active = ConnectionTest.objects.filter(_at_work(now)).count()
        if active >= AT_ONCE:
            raise CommandRefused((f"{active} connections are being tried: wait a few seconds.",))
        test = ConnectionTest.objects.create(
            kind=kind, target=target, requested_by=by.name, requested_at=now, expires_at=now + TAKEN_WITHIN
        )
        record(by, WHAT, Outcome.ACCEPTED, subject=entry.name, text=_where(entry), at=now)
        transaction.on_commit(partial(publish.publish_connection_test, test.pk))
    return test


def row_to_try(entry: Entry) -> dict[str, Any]:
    """A saved row as `request_test` takes it."""
    unasked = ("config", "deadlines")
    return {key: value for key, value in asdict(entry).items() if value not in EMPTY and key not in unasked}


def _at_work(now: datetime) -> Q:
    waiting = Q(state=CommandState.QUEUED, expires_at__gt=now)
    return waiting | Q(state=CommandState.RUNNING, requested_at__gt=now - GONE_AFTER)


def _entry(kind: str, row: Mapping[str, Any]) -> NodeEntry | ServerEntry | RouterEntry:
    if kind not in KINDS:
        raise BadCommand("kind", f"{kind!r} is not one of {', '.join(KINDS)}.")
    try:
        entry = read_entry(KINDS[kind], row)
    except EntryError as error:
        key, text = next(iter(error.errors.items()))
        raise BadCommand(key, text) from None
    assert isinstance(entry, NodeEntry | ServerEntry | RouterEntry)  # KINDS
    return entry


def _node_of(entry: NodeEntry | ServerEntry | RouterEntry, setup: Setup) -> dict[str, Any] | None:
    node = entry if isinstance(entry, NodeEntry) else find(setup, "node", entry.node)
    return asdict(node) if isinstance(node, NodeEntry) else None


def _where(entry: NodeEntry | ServerEntry | RouterEntry) -> str:
    if isinstance(entry, NodeEntry):
        return f"{entry.host}:{entry.agent_port if entry.access == 'agent' else entry.ssh_port}"
    return f"{entry.host}:{entry.port}"
