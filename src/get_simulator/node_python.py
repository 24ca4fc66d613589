"""Python on a simulated node: this machine's, in the node's directory, with a program that lies on the node."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import asyncssh

from get_simulator.node import PythonCall

READ_BYTES = 1 << 16


async def run_python(call: PythonCall, root: Path, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Run the program and hand on what it prints as it prints it; it ends when nobody listens any more."""
    words = list(call.arguments)
    at = next((number for number, word in enumerate(words) if not word.startswith("-")), None)
    if at is None:
        process.stderr.write(b"This node's Python runs programs from files only.\n")
        process.exit(2)
        return
    words[at] = str(_real(root, words[at]))
    child = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=_real(root, call.directory), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    try:
        while read := await child.stdout.read(READ_BYTES):
            process.stdout.write(read)
            await process.stdout.drain()
        process.stderr.write(await child.stderr.read())
        process.exit(await child.wait())
    except OSError:
        process.close()  # nobody listens any more
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def _real(root: Path, path: str) -> Path:
    return root / os.path.normpath("/" + path).lstrip("/")
