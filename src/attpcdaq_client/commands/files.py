"""Answers that are files."""

import sys
from pathlib import Path

import click

output = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Default: stdout. Not overwritten."
)


def write(content: bytes, output: Path | None) -> None:
    """Into a file that is not there yet, or to stdout."""
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        with output.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error}") from None
