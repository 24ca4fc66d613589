"""From a click to a durable order: ask the plan, write the command and its steps, wake somebody up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from attpcdaq.audit.people import Requester
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish, record
from attpcdaq.runcontrol.gate import ask_set_aside, hold_gate
from attpcdaq.runcontrol.gather import Rows, config_part, read_rows, system_facts
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command, Step
from attpcdaq.runcontrol.plan import ACTIONS, Plan, Refusal, plan
from attpcdaq.runcontrol.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.run_progress import drop_start
from attpcdaq.runlog.lifecycle import open_run, request_run
from attpcdaq.runlog.models import Run, RunClass, RunState

# Nobody may begin a command later than this: a Prepare pressed ten minutes ago is not wanted any more.
EXPIRES_AFTER = timedelta(seconds=15)
STOP_EXPIRES_AFTER = timedelta(seconds=60)
TITLE_LENGTH = 200


def request(
    action: str,
    targets: Sequence[str] | None,
    by: Requester,
    *,
    title: str = "",
    run_class: str = "",
    confirm: bool = False,
    now: datetime | None = None,
) -> Command:
    """Record a command for `targets` (None: the whole system). BadCommand, CommandRefused."""
    moment = now or timezone.now()
    with transaction.atomic():
        hold_gate()
        rows = read_rows(moment)
        _check(action, targets, title, run_class, rows)
        targets = _widened(action, targets, rows)
        joined = _same_stop(action, targets, rows)
        if joined is not None:
            transaction.on_commit(partial(publish.publish_command, joined.pk))
            return joined
        agreed = _agreed(plan(action, targets, system_facts(rows)), confirm)
        command = _record(agreed, targets, by, rows)
        _attach_run(command, agreed, rows, by, title, run_class)
        transaction.on_commit(partial(publish.publish_command, command.pk))
    return command


def _check(action: str, targets: Sequence[str] | None, title: str, run_class: str, rows: Rows) -> None:
    if action not in ACTIONS:
        raise BadCommand("action", f"{action!r} is not one of {', '.join(ACTIONS)}.")
    known = [server.name for server in rows.servers]
    unknown = [name for name in targets or () if name not in known]
    if unknown:
        raise BadCommand("ecc_servers", f"there is no {', '.join(unknown)}; known are {', '.join(known) or 'none'}.")
    if targets is not None and not targets:
        raise BadCommand("ecc_servers", "name at least one ECC server, or leave it out (null) for the whole system.")
    if run_class and run_class not in RunClass.values:
        raise BadCommand("run_class", f"{run_class!r} is not one of {', '.join(RunClass.values)}.")
    if len(title) > TITLE_LENGTH or not title.isprintable():
        raise BadCommand("title", f"use at most {TITLE_LENGTH} printable characters.")


def _widened(action: str, targets: Sequence[str] | None, rows: Rows) -> Sequence[str] | None:
    """A run that is on its way up or down cannot lose one board alone: Stop then stops them all."""
    on_its_way = rows.run is not None and rows.run.state in (RunState.REQUESTED, RunState.STARTING, RunState.STOPPING)
    return None if action == Action.STOP and on_its_way else targets


def _same_stop(action: str, targets: Sequence[str] | None, rows: Rows) -> Command | None:
    """A Stop pressed twice is one Stop; it joins one at work that reaches all its servers."""
    stops = (c for c in rows.active if c.action == action == Action.STOP and not c.superseded)
    return next((c for c in stops if _covers(c.targets, targets)), None)


def _covers(wider: Sequence[str] | None, narrower: Sequence[str] | None) -> bool:
    return wider is None or (narrower is not None and set(narrower) <= set(wider))


def _agreed(outcome: Plan | Refusal, confirm: bool) -> Plan:
    if isinstance(outcome, Refusal):
        raise CommandRefused(outcome.reasons)
    if outcome.confirm and not confirm:
        raise CommandRefused((f"{outcome.confirm} Confirm it (confirm=true) if that is meant.",))
    return outcome


def _record(agreed: Plan, targets: Sequence[str] | None, by: Requester, rows: Rows) -> Command:
    lifetime = STOP_EXPIRES_AFTER if agreed.action == Action.STOP else EXPIRES_AFTER
    command = Command.objects.create(
        action=agreed.action,
        targets=None if targets is None else list(targets),
        requested_by=by.name,
        user_id=by.user.pk if by.user else None,
        requested_at=rows.now,
        expires_at=rows.now + lifetime,
        published_at=rows.now,
    )
    servers = {server.name: server for server in rows.servers}
    Step.objects.bulk_create(
        Step(
            command=command,
            stage=number,
            ecc_server=servers[name],
            server_name=name,
            transition=stage.transition,
            config=config_part(servers[name], stage.transition),
        )
        for number, stage in enumerate(agreed.stages)
        for name in stage.servers
    )
    what = "the whole system" if targets is None else ", ".join(targets)
    label = command.get_action_display()
    add_event("command", f"{by.name}: {label} for {what}", subject=label, at=rows.now)
    return command


def _attach_run(command: Command, agreed: Plan, rows: Rows, by: Requester, title: str, run_class: str) -> None:
    """Start opens a run; a Stop supersedes whatever else is at work."""
    run = rows.run
    if command.opens_run:
        run = _new_run(rows, by, title, run_class)
    elif command.action == Action.STOP or agreed.confirm:
        _supersede(command, rows)
    if run is not None:
        Command.objects.filter(pk=command.pk).update(run=run)
        command.run = run


def _new_run(rows: Rows, by: Requester, title: str, run_class: str) -> Run:
    assert rows.experiment is not None  # the plan refused otherwise
    previous = Run.objects.filter(experiment=rows.experiment).first()
    configuration = {
        server.name: {
            "boards": {source.sender_id: source.role for source in server.data_sources.all()},
            "config": str(server.config_set) if server.config_set else "",
        }
        for server in rows.servers
    }
    return request_run(
        rows.experiment,
        title=title,
        run_class=run_class or (previous.run_class if previous else RunClass.TESTING),
        operator=by.user,
        configuration=configuration,
        now=rows.now,
    )


def _supersede(command: Command, rows: Rows) -> None:
    """What is at work on the same servers sends nothing more; a Stop that reaches others too goes on."""
    mine = {step.server_name for step in command.steps.all()}
    for other in rows.active:
        theirs = {step.server_name for step in other.steps.all()}
        if mine & theirs and (other.action != Action.STOP or theirs <= mine):
            Command.objects.filter(pk=other.pk, state__in=ACTIVE_STATES).update(superseded=True)
            dropped = record.drop_unclaimed(other.pk, rows.now)
            if dropped and other.opens_run and other.run_id is not None:
                drop_start(other.run_id, record.SUPERSEDED, rows.now)


def request_set_aside(by: Requester, now: datetime | None = None) -> None:
    """Ask for the files left in staging directories to be put aside; CommandRefused while a run is open."""
    moment = now or timezone.now()
    with transaction.atomic():
        hold_gate()
        if open_run() is not None:
            raise CommandRefused(("A run is open: its files are moved when it is stopped.",))
        ask_set_aside(moment)
        add_event("run", f"{by.name}: set stray files aside", subject="staging", at=moment)
        transaction.on_commit(publish.publish_set_aside)
