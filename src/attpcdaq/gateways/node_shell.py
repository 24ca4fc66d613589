"""One `sh` per connection for commands that only look: a login for each could cost a node 0.1 s of CPU."""

import asyncio
import re
import secrets
from dataclasses import dataclass, field

import asyncssh

from attpcdaq.gateways.errors import Refused

_ENDED = (asyncio.IncompleteReadError, BrokenPipeError)
MOST_SAID = 300
"""Characters of what a command printed that are told when it failed."""


@dataclass(frozen=True, slots=True)
class Output:
    """Exit status (0 is success) and what was printed, errors among the rest."""

    status: int
    text: str


@dataclass(slots=True)
class Shell:
    """Where the node answers commands but has no `sh` to keep, each command is a session of its own."""

    connection: asyncssh.SSHClientConnection
    _process: asyncssh.SSHClientProcess[str] | None = None
    _alone: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _mark: str = field(default_factory=lambda: f"end-{secrets.token_hex(8)}")

    async def look(self, command: str) -> Output:
        """Whatever comes of it."""
        async with self._lock:
            try:
                if not self._alone and self._process is None:
                    await self._begin()
                return await (self._once(command) if self._process is None else self._ask(self._process, command))
            except _ENDED as error:
                raise asyncssh.ConnectionLost("the shell on the node ended") from error
            except asyncio.CancelledError:
                self._leave()  # its answer is still to come, and is none to the next question
                raise

    async def run(self, command: str) -> str:
        """What it printed; Refused when it failed."""
        output = await self.look(command)
        if output.status:
            raise Refused(f"{command!r} failed: {output.text.strip()[:MOST_SAID] or f'status {output.status}'}")
        return output.text

    async def _begin(self) -> None:
        self._process = await self.connection.create_process(
            "sh", stderr=asyncssh.DEVNULL, encoding="utf-8", errors="replace"
        )
        try:
            await self._ask(self._process, "true")
        except _ENDED:
            self._leave()
            self._alone = True

    def _leave(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    async def _ask(self, process: asyncssh.SSHClientProcess[str], command: str) -> Output:
        process.stdin.write(f"{{ {command}\n}} </dev/null 2>&1; printf '\\n{self._mark} %d\\n' $?\n")
        end = re.compile(rf"\n{self._mark} [0-9]+\n")
        said, _, status = str(await process.stdout.readuntil(end, 64))[:-1].rpartition(f"\n{self._mark} ")
        return Output(int(status), said)

    async def _once(self, command: str) -> Output:
        done = await self.connection.run(
            command, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT, encoding="utf-8", errors="replace"
        )
        return Output(1 if done.exit_status is None else done.exit_status, str(done.stdout or ""))
