"""Who is in charge: one person at a time gives commands, so that no two shifters work against each other.

Every change is a compare-and-set on the one row: of two at the same moment one wins, and the other is told who did.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from attpcdaq.audit import trail
from attpcdaq.audit.models import Entry, Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.models import Severity
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import Control
from attpcdaq.runcontrol.seeing.views import ControlView

ROW = 1
# Who asked and was not answered does not keep others from asking for longer than this.
ASKING_LASTS = timedelta(minutes=2)
REASON_LENGTH = 200
OPERATE = "runcontrol.operate"
WHAT = "control"


def view() -> ControlView:
    """Who is in charge now, and who asks to be."""
    row = Control.objects.filter(pk=ROW).first()
    return ControlView(row.holder, row.since, row.asked_by, row.asked_at) if row else ControlView()


def force_of(seen: ControlView) -> str:
    """How who is in charge took it, with the reason, where it was by force."""
    if seen.since is None:
        return ""
    lines = Entry.objects.filter(at=seen.since, what=WHAT, subject="force", outcome=Outcome.DONE)
    return lines.values_list("text", flat=True).first() or ""


def check(by: Requester, now: datetime) -> None:
    """See that `by` may give a command (anything but a Stop); CommandRefused names who is in charge.

    When nobody is, `by` is from now on: call it in the transaction of the command, so that a refusal changes nothing.
    """
    if by.itself:
        return
    row = _row()
    if row.holder == by.name:
        return
    if row.holder or not _change(row, holder=by.name, since=now, asked_by="", asked_at=None):
        raise CommandRefused((_in_the_way(now),))
    _tell(by, f"{by.name} is in charge", now, subject=by.name, text="gave a command while nobody was in charge")


def take(by: Requester, now: datetime) -> None:
    """Be in charge when nobody is."""
    _recorded(by, "take", now, lambda: _take(by, now))


def ask(by: Requester, now: datetime) -> None:
    """Ask who is in charge to hand over; when nobody is, that is taking it."""
    _recorded(by, "ask", now, lambda: _ask(by, now))


def hand_over(by: Requester, to: str, now: datetime) -> None:
    """Who is in charge gives it to somebody else who may operate; BadCommand when there is no such person."""
    _recorded(by, f"hand over to {to}", now, lambda: _hand_over(by, to, now))


def release(by: Requester, now: datetime) -> None:
    """Who is in charge is so no more, and nobody else is."""
    _recorded(by, "release", now, lambda: _release(by, now))


def decline(by: Requester, now: datetime) -> None:
    """Who is in charge keeps it; who asked does not want it any more."""
    _recorded(by, "decline", now, lambda: _decline(by, now))


def force(by: Requester, reason: str, now: datetime, *, from_holder: str = "") -> None:
    """Take control from whoever has it, for a `reason` that everybody will read.

    With `from_holder` (whom the page showed) it is refused when somebody else is in charge meanwhile.
    """
    _recorded(by, "force", now, lambda: _force(by, reason.strip(), now, from_holder))


def drop(name: str, by: Requester, now: datetime) -> None:
    """Somebody who may not operate any more is neither in charge nor asks to be."""
    row = _row()
    if row.holder == name and _change(row, holder="", since=now, asked_by="", asked_at=None):
        text = f"{name} may not operate any more: nobody is in charge"
    elif row.asked_by == name and _change(row, asked_by="", asked_at=None):
        text = f"{name} may not operate any more, and does not ask for control"
    else:
        return
    _tell(by, text, now, subject=name, text=text)


def _take(by: Requester, now: datetime) -> str:
    row = _row()
    if row.holder == by.name:
        raise CommandRefused(("You are in charge already.",))
    if row.holder or not _change(row, holder=by.name, since=now, asked_by="", asked_at=None):
        raise CommandRefused((_in_the_way(now),))
    return f"{by.name} is in charge"


def _ask(by: Requester, now: datetime) -> str:
    row = _row()
    if not row.holder:
        return _take(by, now)
    if row.holder == by.name:
        raise CommandRefused(("You are in charge already.",))
    if row.asked_by not in ("", by.name) and row.asked_at and now - row.asked_at < ASKING_LASTS:
        raise CommandRefused((f"{row.asked_by} has asked {row.holder} already: wait, or take it with a reason.",))
    if not _change(row, asked_by=by.name, asked_at=now):
        raise CommandRefused((_changed_meanwhile(),))
    return f"{by.name} asks {row.holder} for control"


def _hand_over(by: Requester, to: str, now: datetime) -> str:
    row = _held_by(by)
    if to == by.name:
        raise BadCommand("to", "you are in charge already; name somebody else.")
    people = get_user_model().objects.filter(username=to, is_active=True)
    if not to.isprintable() or not any(person.has_perm(OPERATE) for person in people):
        raise BadCommand("to", f"there is no {to[:80]!r} who may operate the detector.")
    if not _change(row, holder=to, since=now, asked_by="", asked_at=None):
        raise CommandRefused((_changed_meanwhile(),))
    return f"{by.name} handed control over to {to}"


def _release(by: Requester, now: datetime) -> str:
    if not _change(_held_by(by), holder="", since=now, asked_by="", asked_at=None):
        raise CommandRefused((_changed_meanwhile(),))
    return f"{by.name} released control: nobody is in charge"


def _decline(by: Requester, now: datetime) -> str:
    row = _row()
    if not row.asked_by:
        raise CommandRefused(("Nobody asks for control (any more).",))
    if by.name not in (row.holder, row.asked_by):
        raise CommandRefused((f"{row.asked_by} asked {row.holder}: it is for them to decide.",))
    if not _change(row, asked_by="", asked_at=None):
        raise CommandRefused((_changed_meanwhile(),))
    if by.name == row.asked_by:
        return f"{by.name} does not ask for control any more"
    return f"{by.name} keeps control: {row.asked_by} was declined"


def _force(by: Requester, reason: str, now: datetime, from_holder: str) -> str:
    if not 1 <= len(reason) <= REASON_LENGTH or not reason.isprintable():
        raise BadCommand("reason", f"say why in 1 to {REASON_LENGTH} printable characters.")
    row = _row()
    if not row.holder:
        return f"{_take(by, now)}, as nobody else was: {reason}"
    if row.holder == by.name:
        raise CommandRefused(("You are in charge already.",))
    if from_holder not in ("", row.holder) or not _change(row, holder=by.name, since=now, asked_by="", asked_at=None):
        raise CommandRefused((_changed_meanwhile(),))
    return f"{by.name} took control from {row.holder}: {reason}"


def _row() -> Control:
    return Control.objects.get_or_create(pk=ROW)[0]


def _held_by(by: Requester) -> Control:
    row = _row()
    if row.holder != by.name:
        raise CommandRefused((f"You are not in charge: {row.holder or 'nobody'} is.",))
    return row


def _change(seen: Control, **fields: object) -> bool:
    """Change the row if it still says what was seen."""
    same = Control.objects.filter(pk=ROW, holder=seen.holder, since=seen.since, asked_by=seen.asked_by)
    return bool(same.update(**fields))


def _in_the_way(now: datetime) -> str:
    row = _row()
    if not row.holder or row.since is None:
        return "Somebody else was in charge a moment ago: try again."
    since = timezone.localtime(row.since)
    day = "" if since.date() == timezone.localtime(now).date() else f"{since:%d %b} "
    return f"{row.holder} is in charge since {day}{since:%H:%M}: ask for control, or take it with a reason."


def _changed_meanwhile() -> str:
    return f"That changed meanwhile: {_row().holder or 'nobody'} is in charge now."


def _recorded(by: Requester, what: str, now: datetime, change: Callable[[], str]) -> None:
    """Carry it out and tell everybody; a refusal stands in the audit trail too."""
    try:
        with transaction.atomic():
            text = change()
            _tell(by, text, now, subject=what, text=text)
    except (CommandRefused, BadCommand) as refusal:
        trail.record(by, WHAT, Outcome.REFUSED, subject=what, text=str(refusal), at=now)
        raise


def _tell(by: Requester, event: str, now: datetime, *, subject: str, text: str) -> None:
    severity = Severity.WARNING if subject in ("ask", "force") else Severity.INFO
    add_event("control", event, subject="control", severity=severity, at=now)
    trail.record(by, WHAT, Outcome.DONE, subject=subject, text=text, at=now)
