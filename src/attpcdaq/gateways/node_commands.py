"""A command line on a node, run once and waited for."""

import asyncssh

from attpcdaq.gateways.errors import Refused, readable
from attpcdaq.gateways.node_connection import Link
from attpcdaq.gateways.ports import CommandResult

MAX_COMMAND = 1000
# Of a command that prints without end only the newest lines are kept.
MAX_OUTPUT = 4000
READ_CHARACTERS = 4096


def check_command(command: str) -> None:
    """Refused unless it is one printable line."""
    if not command.strip() or not command.isprintable() or len(command) > MAX_COMMAND:
        raise Refused(f"{command[:80]!r} is not a command line of 1 to {MAX_COMMAND} printable characters")


async def run(link: Link, command: str) -> CommandResult:
    """Its exit status and the end of what it printed, errors among the rest."""
    async with link.connection.create_process(
        command, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        output = ""
        while read := await process.stdout.read(READ_CHARACTERS):
            output = (output + read)[-MAX_OUTPUT:]
        await process.wait_closed()
        if process.exit_status is None:
            raise asyncssh.ConnectionLost("the node did not say how the command ended")
        return CommandResult(process.exit_status, readable(output).strip())
