"""Events and logs, once or followed."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

import click

from attpcdaq_client.areas.events import Event, EventFilter, Log, LogLine
from attpcdaq_client.commands.framework import DaqCommand, Session, as_json, pass_session
from attpcdaq_client.commands.text import clean, table, when
from attpcdaq_client.errors import OutOfTouch

EVERY = 1.0
# A log that nobody has looked at for a while is read by the monitor within a second or two.
FIRST_WITHIN, ASK_EVERY = 5.0, 0.3
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])
followed = click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")


@click.command(cls=DaqCommand)
@click.option("--text", default="", help="In text or subject.")
@click.option("--severity", default="", metavar="LEVEL", help="As bad as this or worse: info, warning, error.")
@click.option("--topic", default="", help="ecc, router, command, run, setup, ...")
@click.option("--subject", default="", metavar="NAME", help="This server, router, node or run.")
@click.option("--run", default="", metavar="EXPERIMENT/NUMBER", help="While that run was on.")
@click.option("--since", type=MOMENT, default=None, metavar="TIME", help="YYYY-MM-DD or 'YYYY-MM-DD HH:MM', your time.")
@click.option("--until", type=MOMENT, default=None, metavar="TIME")
@click.option("--open", "is_open", is_flag=True, help="Only warnings and errors that nobody acknowledged.")
@click.option("--before", type=click.IntRange(min=1), default=None, metavar="ID", help="Older than this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@followed
@pass_session
def events(session: Session, /, before: int | None, limit: int, follow: bool, **words: object) -> None:
    """What happened, newest last."""
    for name in ("since", "until"):
        moment = words[name]
        words[name] = moment.astimezone() if isinstance(moment, datetime) else None
    wanted = EventFilter(**words)  # type: ignore[arg-type]  # the options above
    found = session.client.events.all(wanted, before=before, limit=limit)[::-1]
    if not follow:
        session.show(found, lambda: table(HEAD, map(_row, found), "No events."))
        return
    _tell(session, found)
    last = found[-1].id if found else 0

    def look() -> None:
        nonlocal last
        new = session.client.events.all(wanted, after=last, limit=1000)[::-1]
        _tell(session, new)
        last = new[-1].id if new else last

    _until_interrupted(session, look)


HEAD = ("id", "at", "severity", "subject", "text", "acknowledged")


def _row(event: Event) -> tuple[object, ...]:
    return event.id, event.at, event.severity, event.subject, event.text, event.acknowledged_by


def _tell(session: Session, new: Iterable[Event]) -> None:
    for event in new:
        words = f"{when(event.at)}  {event.severity:7}  {clean(event.subject)}  {clean(event.text)}"
        click.echo(as_json(event, indent=None) if session.as_json else words)


@click.command(cls=DaqCommand)
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All that there are until now.")
@pass_session
def acknowledge(session: Session, ids: tuple[int, ...], everything: bool) -> None:
    """Take note of warnings and errors."""
    if bool(ids) == everything:
        raise click.UsageError("Name events by their ids, or give --all.")
    newest = session.client.events.all(limit=1) if everything else []
    done = session.client.events.acknowledge(ids, through=newest[0].id if newest else 0)
    session.did(done, f"{done.acknowledged} acknowledged, {done.left} left.")


@click.command(cls=DaqCommand)
@click.argument("kind", type=click.Choice(["ecc", "router"]))
@click.argument("name")
@followed
@pass_session
def logs(session: Session, kind: Literal["ecc", "router"], name: str, follow: bool) -> None:
    """The end of the log of an ECC server or data router; [error] and [warning] mark lines."""
    look = session.client.events.log
    log = look(kind, name)
    until = time.monotonic() + FIRST_WITHIN
    while log.state == "waiting" and time.monotonic() < until:
        time.sleep(ASK_EVERY)
        log = look(kind, name)
    if not follow:
        session.show(log, lambda: _in_words(log))
        return
    printer = _Printer(session)
    printer.tell(log)

    def further() -> None:
        nonlocal log
        log = look(kind, name, seen=log.cursor or None)
        printer.tell(log)

    _until_interrupted(session, further)


def _in_words(log: Log) -> list[str]:
    head = [f"... {log.left_out} lines before"] if log.left_out else []
    problem = [] if log.state == "ok" else [clean(f"{log.path or log.name}: {log.state} {log.problem}").rstrip()]
    return [*head, *map(_line, log.lines), *problem]


def _line(line: LogLine) -> str:
    mark = f"[{line.level}] " if line.level else ""
    return f"{mark}{clean(line.text)}{f' (x {line.times})' if line.times > 1 else ''}"


class _Printer:
    """Prints what is new; a line that grew is printed again."""

    def __init__(self, session: Session) -> None:
        self._as_json, self._tell = session.as_json, session.tell
        self._printed: dict[int, str] = {}
        self._problem = ""

    def tell(self, log: Log) -> None:
        if log.is_anew:
            self._printed.clear()
        for line in log.lines:
            if self._printed.get(line.at) != line.text:
                click.echo(as_json(line, indent=None) if self._as_json else _line(line))
        self._printed = {at: text for at, text in self._printed.items() if at < log.begin}
        self._printed |= {line.at: line.text for line in log.lines}
        problem = "" if log.state == "ok" else clean(f"{log.state} {log.problem}").rstrip()
        if problem and problem != self._problem:
            self._tell(f"{clean(log.path or log.name)}: {problem}")
        self._problem = problem


def _until_interrupted(session: Session, look: Callable[[], None]) -> None:
    """Each second, through times without touch, until Ctrl-C."""
    away = False
    try:
        while True:
            time.sleep(EVERY)
            try:
                look()
                away = False
            except OutOfTouch as error:
                if not away:
                    session.tell(f"Out of touch with the DAQ: {error}")
                away = True
    except KeyboardInterrupt:
        click.echo(err=True)
