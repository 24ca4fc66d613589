"""An upgrade leaves nobody with the warnings of years to acknowledge."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from attpcdaq.live import events
from attpcdaq.live.models import Event
from attpcdaq.live.store import add_event

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = "0006_spells_log_tails_and_acknowledging", "0007_what_was_told_before_is_acknowledged"


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("live", name)])


def test_what_was_told_before_is_acknowledged_and_what_follows_is_not() -> None:
    migrate(BEFORE)
    for severity in ("info", "warning", "error"):
        add_event("ecc", f"Old {severity}", severity=severity, at=timezone.now())
    assert events.count_open() == 2
    migrate(AFTER)
    add_event("ecc", "New error", severity="error", at=timezone.now())
    assert [event.text for event in events.not_acknowledged()] == ["New error"]
    noted = Event.objects.exclude(acknowledged_at=None)
    assert sorted((event.text, event.acknowledged_by) for event in noted) == [
        ("Old error", "upgrade"),
        ("Old warning", "upgrade"),
    ]
