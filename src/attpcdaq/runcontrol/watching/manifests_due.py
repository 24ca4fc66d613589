"""Manifests that are to be made: somebody is told, one after the other, and told again when nothing comes of it."""

from collections.abc import Hashable
from datetime import datetime

from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runlog import manifests

# Seconds by the sweeper's own eyes.
CHECKER_SILENT = 10.0
CHECK_AGAIN = 5.0
LOOK_EVERY = 5.0


def look_after(now: datetime, eyes: Eyes) -> None:
    """One round."""
    if _turned(eyes, "manifests, quarantine", LOOK_EVERY):
        manifests.ask_about_quarantine(now)
    found = manifests.at_work_or_due(now)
    for run_id, working_at in found.items():
        if working_at is not None:
            if eyes.same_for(("checking", run_id), working_at) >= CHECKER_SILENT:
                manifests.take_from_silent(run_id, working_at)
            return
    wanted = manifests.due(now).first() if found else None
    if wanted is not None and _turned(eyes, ("manifest", wanted.pk, wanted.asked_at, wanted.again_at), CHECK_AGAIN):
        publish.publish_check_files(wanted.pk)


def _turned(eyes: Eyes, key: Hashable, every: float) -> bool:
    """At first, and again after every so many seconds."""
    turn = int(eyes.same_for(key, "") / every)
    return eyes.same_for((key, "turn"), turn) == 0.0
