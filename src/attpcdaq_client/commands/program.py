"""`attpcdaq`: every command below one name."""

import io
import sys
from collections.abc import Callable

import click

from attpcdaq_client.client import Client
from attpcdaq_client.commands import orders
from attpcdaq_client.commands.accounts import tokens, users
from attpcdaq_client.commands.audit import audit
from attpcdaq_client.commands.configs import configs
from attpcdaq_client.commands.events import acknowledge, events, logs
from attpcdaq_client.commands.framework import Program, Session
from attpcdaq_client.commands.hosts import hosts
from attpcdaq_client.commands.login import login, whoami
from attpcdaq_client.commands.observables import experiments, observables
from attpcdaq_client.commands.runs import runs
from attpcdaq_client.commands.settings import Settings
from attpcdaq_client.commands.setup import setup
from attpcdaq_client.commands.sheets import measurements, sheet
from attpcdaq_client.commands.shifts import beam_time, elog, gap, note, notes, shift
from attpcdaq_client.commands.status import status
from attpcdaq_client.connection import TIMEOUT

EPILOG = "Exit status: 0 done, 1 refused or failed (why is on stderr), 2 wrong usage, 3 out of touch with the DAQ."


@click.group(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", default="", metavar="URL", help="Of the status page. [env: ATTPCDAQ_URL]")
@click.option("--token", default="", metavar="TOKEN", help="Better kept by `login`, or in ATTPCDAQ_TOKEN.")
@click.option("--ca", default="", metavar="FILE", help="Certificate that vouches for the DAQ's. [env: ATTPCDAQ_CA]")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=TIMEOUT, show_default=True, metavar="SECONDS")
@click.version_option(package_name="attpcdaq")
@click.pass_context
def program(ctx: click.Context, url: str, token: str, ca: str, timeout: float) -> None:
    """The AT-TPC DAQ from the command line: what the pages do, with the same rules."""
    connect: Callable[..., Client] = ctx.obj or Client
    ctx.obj = Session(Settings(url, token, ca), connect, timeout)


LOOKING = (login, whoami, status, runs, setup, configs, hosts, events, acknowledge, logs, audit, users, tokens)
CREW = (observables, measurements, experiments, shift, note, notes, gap, beam_time, elog)
for _command in (*LOOKING, *CREW):
    program.add_command(_command)
runs.add_command(sheet)
orders.add_to(program)


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that the terminal cannot show ends nothing
    program(prog_name="attpcdaq")
