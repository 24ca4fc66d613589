"""Orders to the detector."""

from collections.abc import Callable
from typing import Any, Literal

import click

from attpcdaq_client.areas.orders import ActionName, ControlAction
from attpcdaq_client.areas.runs import Run
from attpcdaq_client.areas.status import Control
from attpcdaq_client.commands.following import done_or_exit, follow, follow_command, waiting
from attpcdaq_client.commands.framework import DaqCommand, DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean, pairs, table, when

CLASS_HELP = "testing, production, beam, pulser or junk; default: as the run before."
run_class = click.option("--class", "run_class", metavar="CLASS", default="", help=CLASS_HELP)
confirmed = click.option("--confirm", is_flag=True, help="Yes, also where that ends or disturbs an open run.")

HELP: dict[ActionName, str] = {
    "describe": "Describe: Idle to Described.",
    "prepare": "Prepare: Described to Prepared, the MuTAnT first.",
    "configure": "Configure: Prepared to Ready, the MuTAnT last.",
    "stop": "Stop the run, or the ECC servers named. Never held up by who is in charge.",
    "breakup": "Breakup: Ready back to Prepared.",
    "undo": "Undo: one state back, from Prepared or Described.",
    "go_ready": "Bring everything to Ready, from wherever it is.",
    "go_idle": "Bring everything back to Idle.",
}


def add_to(program: DaqGroup) -> None:
    """All of them at the top."""
    for action, text in HELP.items():
        program.add_command(_plain(action, text))
    for command in (start, adopt, set_aside, exclude, include, restart, by_id, control, preferences):
        program.add_command(command)


def _plain(action: ActionName, text: str) -> click.Command:
    @click.command(action.replace("_", "-"), cls=DaqCommand, help=text)
    @click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this ECC server; may be repeated.")
    @confirmed
    @waiting
    @pass_session
    def command(session: Session, servers: tuple[str, ...], confirm: bool, wait: bool, within: float) -> None:
        _order(session, action, wait, within, ecc_servers=servers, confirm=confirm)

    return command


@click.command(cls=DaqCommand)
@click.option("--title", default="", help="Of the run.")
@run_class
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this ECC server, without opening a run.")
@click.option("--plan", default="", metavar="DIGEST", help="Refused when the plan is another than that of this digest.")
@confirmed
@waiting
@pass_session
def start(
    session: Session,
    title: str,
    run_class: str,
    servers: tuple[str, ...],
    plan: str,
    confirm: bool,
    wait: bool,
    within: float,
) -> None:
    """Start a run."""
    wish = {"title": title, "run_class": run_class, "plan": plan, "confirm": confirm}
    _order(session, "start", wait, within, ecc_servers=servers, **wish)


def _order(session: Session, action: ActionName, wait: bool, within: float, **wish: Any) -> None:
    accepted = session.client.orders.give(action, **wish)
    if not wait:
        session.did(accepted, f"Ordered. `attpcdaq command {clean(accepted.id)}` tells how far it is.")
        return
    command = follow_command(session, accepted.id, within)
    run = f" Run {command.run_number}." if command.run_number else ""
    session.did(command, f"{command.action} {command.state}.{run}")
    done_or_exit(session, command.state, command.message)
    if action == "stop" and not wish["ecc_servers"] and command.run_number is not None:
        _until_closed(session, command.run_number, within)


def _until_closed(session: Session, number: int, within: float) -> None:
    """A stopped run holds up the next one until its files are where they belong."""
    client = session.client
    run = follow(
        session, lambda: client.runs.one(number), lambda seen: seen.over, within, f"Run {number}", _closing_in_words
    )
    session.tell(_closing_in_words(run))


def _closing_in_words(run: Run) -> str:
    return f"Run {run.number} is {clean(run.state)}."


@click.command("command", cls=DaqCommand)
@click.argument("command_id", metavar="ID")
@waiting
@pass_session
def by_id(session: Session, command_id: str, wait: bool, within: float) -> None:
    """How far a command is, step by step."""
    look = session.client.orders.command
    command = follow_command(session, command_id, within) if wait else look(command_id)
    head = pairs(
        [
            ("command", f"{command.action} {', '.join(command.targets or ['the whole system'])}"),
            ("state", command.state),
            ("message", command.message),
            ("by", f"{command.requested_by} at {when(command.requested_at)}"),
            ("run", command.run_number),
        ]
    )
    rows = [(step.stage + 1, step.transition, step.server, step.state, step.message) for step in command.steps]
    steps = table(("stage", "transition", "ecc server", "state", "message"), rows, "No steps.")
    session.show(command, lambda: [*head, "", *steps])
    if wait:
        done_or_exit(session, command.state, command.message)


@click.command(cls=DaqCommand)
@click.option("--title", default="", help="Of the run.")
@run_class
@pass_session
def adopt(session: Session, title: str, run_class: str) -> None:
    """Make a run of boards that are Running for nobody."""
    run = session.client.orders.adopt(title, run_class)
    session.did(run, f"The boards are adopted as run {run.number}.")


@click.command(cls=DaqCommand)
@pass_session
def set_aside(session: Session) -> None:
    """Put files aside that lie in staging directories without a run."""
    session.client.orders.set_aside()
    session.did(None, "Setting stray files aside was requested.")


@click.command(cls=DaqCommand)
@click.argument("server")
@click.option("--reason", required=True, help="Kept with every run taken without it.")
@pass_session
def exclude(session: Session, server: str, reason: str) -> None:
    """Go on without an ECC server and its boards."""
    session.did(session.client.orders.exclude(server, reason), f"{server} is excluded.")


@click.command(cls=DaqCommand)
@click.argument("server")
@pass_session
def include(session: Session, server: str) -> None:
    """Take an excluded ECC server back in."""
    session.client.orders.include(server)
    session.did(None, f"{server} is included again.")


@click.command(cls=DaqCommand)
@click.argument("kind", type=click.Choice(["ecc", "router"]))
@click.argument("name")
@confirmed
@waiting
@pass_session
def restart(
    session: Session, kind: Literal["ecc", "router"], name: str, confirm: bool, wait: bool, within: float
) -> None:
    """Restart an ECC server or a data router; for experts."""
    client = session.client
    accepted = client.orders.restart(kind, name, confirm=confirm)
    if not wait:
        session.did(accepted, f"The restart of {name} was requested.")
        return
    look = client.orders.restarted
    ended = follow(session, lambda: look(accepted.id), lambda seen: seen.over, within, "The restart")
    session.did(ended, f"The restart of {name} is {ended.state}.")
    done_or_exit(session, ended.state, ended.message)


@click.group(cls=DaqGroup)
def control() -> None:
    """Who is in charge: show, take, ask, hand-over, release, decline, force."""


@control.command("show")
@pass_session
def _show(session: Session) -> None:
    """Who is in charge."""
    now = session.client.orders.control()
    session.show(now, lambda: _in_charge(now))


def _in_charge(now: Control) -> list[str]:
    asked = f"; {clean(now.asked_by)} asks for it" if now.asked_by else ""
    return [f"{clean(now.holder) or 'Nobody'} is in charge{asked}."]


def _change(action: ControlAction, text: str, *options: Callable[[Any], Any]) -> None:
    @pass_session
    def command(session: Session, /, **words: str) -> None:
        now = session.client.orders.change_control(action, **words)
        session.show(now, lambda: _in_charge(now))

    for option in options:
        command = option(command)
    control.command(action.replace("_", "-"), help=text)(command)


_change("take", "Be in charge, while nobody is.")
_change("ask", "Ask who is in charge for it.")
_change("release", "Be in charge no more.")
_change("decline", "Keep it, although somebody asked.")
_change("hand_over", "Hand it over.", click.argument("to", metavar="USER"))
_change(
    "force",
    "Take it from who has it; everybody reads why.",
    click.option("--reason", required=True),
    click.option("--holder", default="", help="Refused when somebody else is in charge by now."),
)


@click.command(cls=DaqCommand)
@click.option("--reconfigure-mutant/--no-reconfigure-mutant", default=None, help="Anew before each Start.")
@click.option("--min-free-gb", type=float, default=None, help="No run starts with less free on a disk.")
@pass_session
def preferences(session: Session, reconfigure_mutant: bool | None, min_free_gb: float | None) -> None:
    """Say how runs are started; for experts. What is not given stays."""
    now = session.client.orders.prefer(reconfigure_mutant=reconfigure_mutant, min_free_gb=min_free_gb)
    anew = "" if now.reconfigure_mutant else "not "
    session.did(now, f"The MuTAnT is {anew}configured anew before each run; {now.min_free_gb:g} GB must be free.")
