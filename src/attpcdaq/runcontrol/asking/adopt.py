"""Boards that were found Running while no run is open become a run, so that what they take is not lost."""

from datetime import datetime, timedelta

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.asking.opening import check_words, new_run, out_throughout
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.planning.facts import ServerFacts, SystemFacts
from attpcdaq.runcontrol.seeing.gather import Rows, read_rows, system_facts
from attpcdaq.runlog import run_configs
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunState
from get_protocol.state_machine import State, Transition

ADOPTED = "Adopted: its boards were found Running while no run was open."


def adopt(by: Requester, now: datetime, title: str = "", run_class: str = "") -> Run:
    """Open a run for the boards that are Running, running at once. BadCommand, CommandRefused."""
    with deciding(by, "adopt", "", now):
        check_words(title, run_class)
        rows = read_rows(now)
        facts = system_facts(rows)
        reasons = adopt_reasons(facts)
        if reasons:
            raise CommandRefused(reasons)
        run = new_run(rows, by, title, run_class, adopted=True)
        # The record names what is chosen, and nobody went through a plan that sees to it that the boards have it.
        unlike = (f"{s.name}: {s.other_config}" for s in running(facts) if s.other_config)
        verdict = " ".join([ADOPTED, *(f"{s.name}: {_seen(s)}." for s in missing(facts)), *unlike])
        add_verdict(run.pk, verdict)
        advance(run.pk, RunState.RUNNING, now, started_at=_since(rows, facts))
        run_configs.keep(run, out_throughout(run))
        record(by, "adopt", Outcome.DONE, subject=str(run), text=verdict, at=now)
    run.refresh_from_db()
    return run


def adopt_reasons(facts: SystemFacts) -> tuple[str, ...]:
    """Why what the boards do may not become a run now; none when it may."""
    reasons = []
    if not facts.monitor_alive:
        reasons.append("The monitor is not running, so the state of the hardware is not known.")
    if facts.experiment is None:
        reasons.append("No experiment is active: create or choose one first.")
    if facts.run is not None:
        reasons.append(f"Run {facts.run.number} is open already.")
    reasons += [f"{command} is under way." for command in facts.commands[:1]]
    if facts.setting_aside:
        reasons.append("Stray files are being set aside.")
    if not running(facts):
        reasons.append("No included board is Running.")
    return tuple(reasons)


def running(facts: SystemFacts) -> tuple[ServerFacts, ...]:
    """The included servers whose boards are seen to run, with nothing under way."""
    return tuple(server for server in facts.servers if _runs(server))


def missing(facts: SystemFacts) -> tuple[ServerFacts, ...]:
    """The included servers which would belong to a run and are not Running."""
    return tuple(server for server in facts.servers if not server.excluded and not _runs(server))


def _runs(server: ServerFacts) -> bool:
    return server.state is State.RUNNING and server.transition is Transition.NONE and not server.excluded


def _seen(server: ServerFacts) -> str:
    if server.transition is not Transition.NONE:
        return f"{transition_label(server.transition)} was under way in it"
    return f"was {state_label(server.state)}, not Running"


def _since(rows: Rows, facts: SystemFacts) -> datetime:
    """When the first of them was seen Running, but not before the run before it ended."""
    names = {server.name for server in running(facts)}
    seen = [server.live.since for server in rows.servers if server.name in names]
    since = min([at for at in seen if at is not None], default=rows.now)
    ended = Run.objects.exclude(stopped_at=None).order_by("-stopped_at").values_list("stopped_at", flat=True).first()
    if ended is not None and ended >= since:
        since = ended + timedelta(milliseconds=1)
    return min(since, rows.now)
