"""Waiting for what was ordered, with a limit; the DAQ may restart meanwhile."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from attpcdaq_client.areas.status import Command
from attpcdaq_client.commands.framework import REFUSED, Session
from attpcdaq_client.commands.text import clean
from attpcdaq_client.errors import OutOfTouch

T = TypeVar("T")
LOOK_EVERY = 0.5
WITHIN = 300.0


def waiting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that can wait."""
    wait = click.option("--wait", is_flag=True, help="Come back when it is over: status 1 if it failed.")
    seconds = click.FloatRange(min=0)
    within = click.option("--within", type=seconds, default=WITHIN, show_default=True, help="Seconds it waits at most.")
    return wait(within(command))


def follow(
    session: Session,
    look: Callable[[], T],
    over: Callable[[T], bool],
    within: float,
    what: str,
    told: Callable[[T], str] = lambda _: "",
) -> T:
    """What `look` gives once it is over; changes of `told` go to stderr. Status 1 after `within` seconds."""
    until, said = time.monotonic() + within, ""
    while True:
        try:
            seen = look()
        except OutOfTouch as error:
            if time.monotonic() > until:
                raise
            line = f"Out of touch with the DAQ, waiting for it: {error}"
        else:
            if over(seen):
                return seen
            line = told(seen)
        if line and line != said:
            session.tell(line)
            said = line
        if time.monotonic() > until:
            session.tell(f"{what} is not over after {within:g} s; it goes on.")
            raise click.exceptions.Exit(REFUSED)
        time.sleep(LOOK_EVERY)


def follow_command(session: Session, command_id: str, within: float) -> Command:
    """The command when it is over."""
    look = partial(session.client.orders.command, command_id)
    return follow(session, look, lambda seen: seen.over, within, "The command", steps_in_words)


def steps_in_words(command: Command) -> str:
    """What it does at the moment."""
    under_way = [step for step in command.steps if step.state == "sent"]
    done = sum(step.state in ("confirmed", "skipped") for step in command.steps)
    names = ", ".join(clean(step.server) for step in under_way)
    doing = f": {under_way[0].transition} {names}" if under_way else ""
    return f"{command.action} {command.state}, {done} of {len(command.steps)} steps{doing}"


def done_or_exit(session: Session, state: str, message: str) -> None:
    """Status 1 with the reason when it did not end well."""
    if state != "done":
        session.tell(clean(message) or f"It is {state}.")
        raise click.exceptions.Exit(REFUSED)
