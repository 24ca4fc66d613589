"""From a click to a durable order: ask the plan, write the command and its steps, wake somebody up."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking import opening, orders
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.asking.gate import ask_set_aside
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.stopping import request_stop
from attpcdaq.runcontrol.doing.endings import whom
from attpcdaq.runcontrol.models import Action, Command
from attpcdaq.runcontrol.planning.plan import Plan, Refusal, plan
from attpcdaq.runcontrol.seeing.gather import read_rows, system_facts
from attpcdaq.runlog.lifecycle import open_run


def request(
    action: str,
    targets: Sequence[str] | None,
    by: Requester,
    *,
    title: str = "",
    run_class: str = "",
    confirm: bool = False,
    seen_plan: str = "",
    now: datetime | None = None,
) -> Command:
    """Record a command for `targets` (None: the whole system). BadCommand, CommandRefused.

    `seen_plan` is the digest of the plan that was shown: another one is refused. A Stop is never held up by any of it.
    """
    moment = now or timezone.now()
    if action == Action.STOP:
        return request_stop(targets, by, moment)
    with deciding(by, action, whom(targets), moment):
        rows = read_rows(moment)
        orders.check_words(action, targets, rows)
        opening.check_words(title, run_class)
        if any(command.action == Action.STOP for command in rows.active):
            raise CommandRefused(("Stop is under way.",))
        agreed = _agreed(plan(action, targets, system_facts(rows)), confirm, seen_plan)
        opens_run = action == Action.START and targets is None
        run = opening.new_run(rows, by, title, run_class) if opens_run else rows.run
        return orders.write(agreed, targets, by, rows, run)


def _agreed(outcome: Plan | Refusal, confirm: bool, seen_plan: str) -> Plan:
    if isinstance(outcome, Refusal):
        raise CommandRefused(outcome.reasons)
    if seen_plan and seen_plan != outcome.digest:
        raise CommandRefused(("The plan changed meanwhile: look at what would be done now, and press again.",))
    if outcome.confirm and not confirm:
        raise CommandRefused((f"{outcome.confirm} Confirm it (confirm=true) if that is meant.",))
    return outcome


def request_set_aside(by: Requester, now: datetime | None = None) -> None:
    """Ask for the files left in staging directories to be put aside; CommandRefused while a run is open."""
    moment = now or timezone.now()
    with deciding(by, "set aside", "staging", moment):
        if open_run() is not None:
            raise CommandRefused(("A run is open: its files are moved when it is stopped.",))
        ask_set_aside(moment)
        add_event("run", f"{by.name}: set stray files aside", subject="staging", at=moment)
        trail.record(by, "set aside", Outcome.ACCEPTED, subject="staging", at=moment)
        transaction.on_commit(publish.publish_set_aside)
