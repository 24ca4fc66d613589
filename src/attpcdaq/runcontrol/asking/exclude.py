"""Going on without a board: the shift excludes an ECC server with a reason, and includes it again."""

from datetime import datetime

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.asking.opening import MEANWHILE, excluded_words
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import Exclusion
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.topology.models import ECCServer

REASON_LENGTH = 200


def exclude(name: str, reason: str, by: Requester, now: datetime) -> Exclusion:
    """Let the system go on without the ECC server `name` and its boards. BadCommand, CommandRefused.

    The reason (1 to 200 printable characters) is kept with the open run and with every run that begins meanwhile.
    """
    reason = reason.strip()
    with deciding(by, "exclude", name, now):
        server = _known(name)
        if not reason or len(reason) > REASON_LENGTH or not reason.isprintable():
            raise BadCommand("reason", f"say why, in 1 to {REASON_LENGTH} printable characters.")
        before = Exclusion.objects.filter(ecc_server=server).first()
        if before is not None:
            raise CommandRefused((f"{name} is excluded already ({before.reason}).",))
        if not ECCServer.objects.filter(exclusion=None).exclude(pk=server.pk).exists():
            raise CommandRefused((f"{name} is the only one that is not excluded: nothing would be left to run.",))
        exclusion = Exclusion.objects.create(ecc_server=server, reason=reason, by=by.name, at=now)
        _note_in_open_run(name, excluded_words(exclusion) | {MEANWHILE: "yes"})
        add_event("setup", f"{by.name}: excluded: {reason}", subject=name, severity="warning", at=now)
        record(by, "exclude", Outcome.DONE, subject=name, text=reason, at=now)
    return exclusion


def include(name: str, by: Requester, now: datetime) -> None:
    """Take the ECC server `name` back in. BadCommand, CommandRefused when it is not excluded."""
    with deciding(by, "include", name, now):
        exclusion = Exclusion.objects.filter(ecc_server=_known(name)).first()
        if exclusion is None:
            raise CommandRefused((f"{name} is not excluded.",))
        exclusion.delete()
        _note_in_open_run(name, {"included_by": by.name, "included_at": now.isoformat()})
        add_event("setup", f"{by.name}: included again (was excluded: {exclusion.reason})", subject=name, at=now)
        record(by, "include", Outcome.DONE, subject=name, text=f"It was excluded: {exclusion.reason}", at=now)


def _known(name: str) -> ECCServer:
    server = ECCServer.objects.filter(name=name).first() if name.isprintable() else None
    if server is None:
        names = ", ".join(ECCServer.objects.values_list("name", flat=True)) or "none"
        raise BadCommand("ecc_server", f"there is no {name[:80]!r}; known are {names}.")
    return server


def _note_in_open_run(name: str, words: dict[str, str]) -> None:
    """The record of the open run says who was missing, and from when to when; one that has stopped is complete."""
    run = open_run()
    if run is None or run.state == RunState.CLOSING:
        return
    # Excluded once more, the latest reason counts; but it has taken part in between.
    before = {} if "reason" in words else run.excluded.get(name, {})
    Run.objects.filter(pk=run.pk).update(excluded=run.excluded | {name: before | words})
