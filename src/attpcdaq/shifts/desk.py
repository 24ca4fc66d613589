"""Shifts begin and end, one at a time; the one writer of Shift but for its checklist."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models.functions import Greatest
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog import experiments
from attpcdaq.shifts.models import Shift
from attpcdaq.shifts.problems import problems_now
from attpcdaq.shifts.texts import lines, one_line

TOPIC = "shift"
CREWS_OFFERED = 10


def current() -> Shift | None:
    """The shift that is on."""
    return Shift.objects.filter(ended_at=None).select_related("experiment").first()


def recent_crews() -> list[str]:
    """Names of crews as they were written lately, each once, the latest first."""
    return list(dict.fromkeys(Shift.objects.values_list("crew", flat=True)[: 3 * CREWS_OFFERED]))[:CREWS_OFFERED]


def begin(crew: str, by: Requester, now: datetime, *, instead_of: int | None = None) -> Shift:
    """Begin a shift of the active experiment; it takes over from the shift `instead_of` (its row) in the same moment.

    BadCommand names what is wrong with `crew` (1 to 200 characters); CommandRefused when another shift is on.
    """
    crew = one_line("crew", crew, 200)
    try:
        with transaction.atomic():
            if instead_of is not None:
                _close(instead_of, by, now)
            shift = Shift.objects.create(crew=crew, began_at=now, began_by=by.name, experiment=experiments.active())
            add_event(TOPIC, f"Shift of {crew} began", at=now)
            record(by, "begin shift", Outcome.DONE, subject=crew, at=now)
    except IntegrityError:
        raise CommandRefused((_already(),)) from None
    return shift


def _already() -> str:
    on = current()
    if on is None:
        return "Another shift began and ended just now: look at the page again."
    return f"The shift of {on.crew} is on since {_clock(on.began_at)}: end it first, or take over from it."


def end(shift_id: int, by: Requester, now: datetime, *, hand_over: str | None = None, was: str | None = None) -> Shift:
    """End the shift, with what the next crew has to know (None: as it is written already). CommandRefused, BadCommand.

    What is not in order at this moment is kept with it. Of two who end it at once one is told that it has ended.
    """
    with transaction.atomic():
        _close(shift_id, by, now, hand_over=hand_over, was=was)
    return Shift.objects.select_related("experiment").get(pk=shift_id)


def _close(
    shift_id: int, by: Requester, now: datetime, *, hand_over: str | None = None, was: str | None = None
) -> None:
    shift = _held(shift_id)
    if shift.ended_at is not None:
        raise CommandRefused((f"The shift of {shift.crew} was ended at {_clock(shift.ended_at)} by {shift.ended_by}.",))
    if hand_over is not None:
        _put(shift, hand_over, was)
    left = [problem.stored() for problem in problems_now(now, since=shift.began_at)]
    # A clock that was set back meanwhile must not keep it from ending.
    Shift.objects.filter(pk=shift.pk).update(ended_at=Greatest("began_at", now), ended_by=by.name, problems=left)
    add_event(TOPIC, f"Shift of {shift.crew} ended", at=now)
    record(by, "end shift", Outcome.DONE, subject=shift.crew, text=f"{len(left)} things left open", at=now)


@transaction.atomic
def write_hand_over(shift_id: int, text: str, by: Requester, now: datetime, *, was: str | None = None) -> None:
    """What the next crew has to know, also after it has ended; CommandRefused when somebody else wrote meanwhile.

    `was`: what the writer saw; None: whatever it was.
    """
    shift = _held(shift_id)
    before = shift.hand_over
    if _put(shift, text, was):
        add_event(TOPIC, at=now)
        after = Shift.objects.values_list("hand_over", flat=True).get(pk=shift.pk)
        record(by, "hand over", Outcome.DONE, subject=shift.crew, text=f"{before[:500]!r} -> {after[:500]!r}", at=now)


def _held(shift_id: int) -> Shift:
    shift = Shift.objects.select_for_update().filter(pk=shift_id).first()
    if shift is None:
        raise CommandRefused((f"There is no shift {shift_id}: begin one.",))
    return shift


def _put(shift: Shift, text: str, was: str | None) -> bool:
    """Whether it changed."""
    text = lines("hand_over", text, needed=False)
    if was is not None and lines("was", was, needed=False) != shift.hand_over != text:
        said = f"Somebody else wrote meanwhile: {shift.hand_over[:200]!r}. Put the two together and save again."
        raise CommandRefused((said,))
    return text != shift.hand_over and bool(Shift.objects.filter(pk=shift.pk).update(hand_over=text))


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M on %-d %b}"
