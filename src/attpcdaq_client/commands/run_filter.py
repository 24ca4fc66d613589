"""Which runs a command is about: the options of the run list."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any

import click

from attpcdaq_client.areas.runs import RunFilter

DAY = click.DateTime(["%Y-%m-%d"])
experiment = click.option("--experiment", metavar="NAME", default=None, help="Another one than the active one.")
number = click.argument("number", type=click.IntRange(min=1))
OPTIONS = (
    experiment,
    click.option("--class", "run_class", metavar="CLASS", default=None, help="testing, production, beam, ..."),
    click.option("--state", metavar="STATE", default=None, help="running, closed, failed, ..."),
    click.option("--verdict", metavar="VERDICT", default=None, help="On the data: complete, incomplete, ..."),
    click.option("--since", type=DAY, metavar="YYYY-MM-DD", default=None, help="First day."),
    click.option("--until", type=DAY, metavar="YYYY-MM-DD", default=None, help="Last day."),
    click.option("--text", default=None, help="In title, notes, what went wrong, operator or number."),
    click.option("--sort", metavar="COLUMN", default=None, help="run, start, duration, title, ...; -COLUMN backwards."),
)
NAMES = ("experiment", "run_class", "state", "verdict", "text", "sort")


def filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command gets the options as one RunFilter, `wanted`."""

    @wraps(command)
    def with_filter(*arguments: Any, **options: Any) -> Any:
        words: dict[str, str | None] = {name: options.pop(name) for name in NAMES}
        since, until = (_day(options.pop(name)) for name in ("since", "until"))
        return command(*arguments, wanted=RunFilter(since=since, until=until, **words), **options)

    for option in reversed(OPTIONS):
        with_filter = option(with_filter)
    return with_filter


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
