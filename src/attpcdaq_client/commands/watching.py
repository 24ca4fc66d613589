"""`status --watch`: asks again each second, outlives a restart of the DAQ, ends with Ctrl-C."""

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from attpcdaq_client.areas.status import Status
from attpcdaq_client.commands.framework import Session, as_json
from attpcdaq_client.commands.status_words import in_words
from attpcdaq_client.commands.text import clean, when
from attpcdaq_client.errors import Failed, OutOfTouch

EVERY = 1.0
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
CLEAR = "\x1b[2J" + HOME


@dataclass(frozen=True, slots=True)
class Look:
    """The newest status there was; `away` says why there is none now, for `seconds`."""

    status: Status
    away: str = ""
    seconds: float = 0.0


def watch(session: Session) -> None:
    """A screen that renews itself on a terminal; elsewhere a line for each change, with --json one for each look."""
    try:
        if session.as_json:
            _json_lines(session)
        elif sys.stdout.isatty():
            _screen(session)
        else:
            _changes(session)
    except KeyboardInterrupt:
        click.echo(err=True)


def _looks(session: Session) -> Iterator[Look]:
    """One about each second; DaqError when the first fails, or when the DAQ says no."""
    client = session.impatient()
    last, lost = client.status.now(), 0.0
    yield Look(last)
    while True:
        began = time.monotonic()
        try:
            last, lost = client.status.now(), 0.0
            yield Look(last)
        except (OutOfTouch, Failed) as error:
            lost = lost or began
            yield Look(last, clean(error), time.monotonic() - lost)
        time.sleep(max(0.0, EVERY - (time.monotonic() - began)))


def _screen(session: Session) -> None:
    click.echo(CLEAR, nl=False)
    for look in _looks(session):
        width, height = shutil.get_terminal_size()
        warning = [f"OUT OF TOUCH for {look.seconds:.0f} s, what follows is old. {look.away}", ""] if look.away else []
        lines = [line[:width] for line in [*warning, *in_words(look.status)]]
        # One line is left free: a full screen would scroll.
        click.echo(HOME + "".join(f"{line}{CLEAR_LINE}\n" for line in lines[: height - 1]) + CLEAR_BELOW, nl=False)


def _json_lines(session: Session) -> None:
    for look in _looks(session):
        away = {"out_of_touch": look.away, "seconds": round(look.seconds, 1)}
        click.echo(as_json(away if look.away else look.status, indent=None))


def _changes(session: Session) -> None:
    before = ""
    for look in _looks(session):
        line = "OUT OF TOUCH" if look.away else _short(look.status)
        if line != before:
            click.echo(f"{when(datetime.now(UTC))}  {line}{f': {look.away}' if look.away else ''}")
        before = line


def _short(status: Status) -> str:
    reasons = "; ".join(status.overall.reasons)
    return clean(f"[{status.overall.level}] {status.overall.title}{f': {reasons}' if reasons else ''}")
