"""Running programs."""

import subprocess
from pathlib import Path


class NoEngine(Exception):
    """The containers cannot be tested here; the text says why."""


class Failed(Exception):
    """A check did not pass; the text says what was seen."""


def succeeds(*command: str) -> bool:
    """Whether it is there and ends with 0."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def output(*command: str) -> str:
    """What it prints, stripped; empty when it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def must(
    *command: str, stdin: str | None = None, cwd: Path | None = None, seconds: float = 600.0, status: int = 0
) -> str:
    """What it prints on both channels; Failed, with its last lines, unless it ends with `status` in time."""
    try:
        done = subprocess.run(
            command, input=stdin, cwd=cwd, timeout=seconds, stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Failed(f"`{_short(command)}` did not end within {seconds:g} s:\n{_last(error.output)}") from None
    if done.returncode != status:
        raise Failed(f"`{_short(command)}` ended with {done.returncode}, not {status}:\n{_last(done.stdout)}")
    return done.stdout


def _short(command: tuple[str, ...]) -> str:
    text = " ".join(" ".join(command).split())
    return text if len(text) < 160 else f"{text[:160]}..."


def _last(text: str | bytes | None) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text or ""
    return "\n".join(f"  {line[:300]}" for line in said.splitlines()[-25:])
