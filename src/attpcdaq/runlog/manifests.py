"""What is proven of a run's data: asked for, worked at, made; the one writer of Manifest."""

from datetime import datetime
from typing import Any

from django.db import transaction

from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Manifest, Run

UNMADE: dict[str, Any] = {"verdict": "", "reasons": [], "sources": [], "written": {}, "made_at": None}


@transaction.atomic
def ask(run_id: int, now: datetime) -> None:
    """The files of a run are to be checked, for the first time or anew: whoever is at it begins again."""
    manifest, created = Manifest.objects.get_or_create(run_id=run_id, defaults={"asked_at": now})
    if not created:
        Manifest.objects.filter(pk=manifest.pk).update(asked_at=now, **UNMADE)
    run = Run.objects.select_related("experiment").get(pk=run_id)
    add_event("manifest", subject=str(run), at=now)
