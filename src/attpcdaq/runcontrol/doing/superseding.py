"""A Stop takes no lock. Who may still send is found by looking, from both sides: one of the two always sees the other.

A command notes a call as sent, commits, and then looks for a Stop; a Stop is committed, and then looks for calls that
were noted. So either the command sees the Stop and sends nothing, or the Stop sees the call and waits for it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Min

from attpcdaq.runcontrol.doing import endings
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command, CommandState, Step
from attpcdaq.runlog.models import Run


def stop_came(command: Command) -> bool:
    """Whether a Stop of some of its servers is at work, or was asked for after it. A Stop is never superseded itself.

    After: by the order in which the steps were written, for a clock may be set back.
    """
    if command.action == Action.STOP or command.superseded:
        return command.superseded
    steps = Step.objects.filter(command=command)
    stops = Step.objects.filter(command__action=Action.STOP, server_name__in=steps.values("server_name"))
    first = steps.aggregate(first=Min("pk"))["first"]
    if not stops.filter(pk__gt=first).exists() and not stops.filter(command__state__in=ACTIVE_STATES).exists():
        return False
    Command.objects.filter(pk=command.pk).update(superseded=True)
    return True


@transaction.atomic
def supersede_others(stop: Command, now: datetime) -> None:
    """Say so in what is at work on the same servers; what nobody has begun ends at once.

    Only to be quick and plain: what is locked by somebody just now is left to its own look.
    """
    mine = set(stop.steps.values_list("server_name", flat=True))
    others = Command.objects.filter(state__in=ACTIVE_STATES).exclude(action=Action.STOP)
    for other in others.select_for_update(skip_locked=True, no_key=True):
        if mine & set(other.steps.values_list("server_name", flat=True)):
            Command.objects.filter(pk=other.pk).update(superseded=True)
            if other.state == CommandState.QUEUED and _run_is_free(other):
                endings.drop(other, now)


def _run_is_free(command: Command) -> bool:
    free = Run.objects.select_for_update(skip_locked=True, no_key=True)
    return command.run_id is None or free.filter(pk=command.run_id).exists()
