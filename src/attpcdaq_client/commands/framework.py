"""What every command has: `--json`, errors as words and an exit status."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import click
from pydantic_core import to_jsonable_python

from attpcdaq_client.client import Client
from attpcdaq_client.commands import settings
from attpcdaq_client.commands.settings import Settings
from attpcdaq_client.commands.text import clean
from attpcdaq_client.errors import DaqError, NotAllowed, OutOfTouch, Refused, WrongInput

REFUSED, WRONG_USAGE, OUT_OF_TOUCH = 1, 2, 3
LOOKING_TIMEOUT = 3.0


class Session:
    """One call of the command."""

    def __init__(self, options: Settings, connect: Callable[..., Client], timeout: float) -> None:
        self.options, self.as_json = options, False
        self._connect, self._timeout = connect, timeout
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The API at the address that was found. UsageError."""
        if self._client is None:
            self._client = self.connected(settings.found(self.options, os.environ))
        return self._client

    def impatient(self) -> Client:
        """The same for who asks each second anyway: it says at once when nobody answers."""
        where = settings.found(self.options, os.environ)
        return self.connected(where, timeout=min(self._timeout, LOOKING_TIMEOUT), read_again_after=())

    def connected(self, where: Settings, **manner: Any) -> Client:
        """The API there. UsageError."""
        if not where.url:
            raise click.UsageError("No address: give --url, set ATTPCDAQ_URL, or log in once with `attpcdaq login`.")
        try:
            return self._connect(where.url, where.token, ca=where.ca, **{"timeout": self._timeout, **manner})
        except (ValueError, OSError) as error:  # ssl.SSLError is an OSError
            raise click.UsageError(f"{where.ca}: {error}" if isinstance(error, OSError) else str(error)) from None

    def show(self, answer: object, lines: Callable[[], Iterable[str]]) -> None:
        """The answer itself for programs, `lines` for people."""
        if self.as_json:
            click.echo(as_json(answer))
        else:
            for line in lines():
                click.echo(line)

    def did(self, answer: object, words: str) -> None:
        """That something was done."""
        self.show(answer, lambda: [words])

    def tell(self, words: str) -> None:
        """How it goes on, beside the answer."""
        click.echo(clean(words), err=True)


def as_json(answer: object, indent: int | None = 2) -> str:
    """As the API gave it; names of a newer DAQ among it."""
    return json.dumps(to_jsonable_python(answer), indent=indent, ensure_ascii=False)


def _json_wanted(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and isinstance(ctx.obj, Session):
        ctx.obj.as_json = True


class DaqCommand(click.Command):
    """A command with `--json`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        text = "The answer as JSON."
        self.params.append(click.Option(["--json"], is_flag=True, expose_value=False, callback=_json_wanted, help=text))


class DaqGroup(click.Group):
    """A group of such commands."""

    command_class = DaqCommand


class Program(DaqGroup):
    """The outermost: what the DAQ says becomes words and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DaqError as error:
            for line in words(error):
                click.echo(clean(line), err=True)
            ctx.exit(status(error))


def words(error: DaqError) -> list[str]:
    """Every reason on a line of its own."""
    if isinstance(error, Refused):
        # The API names its own field: here it is an option.
        return ["Refused:", *(f"  - {reason.replace('confirm=true', '--confirm')}" for reason in error.reasons)]
    if isinstance(error, WrongInput) and error.fields:
        return [f"{name}: {text}" for name, text in error.fields.items()]
    if isinstance(error, OutOfTouch):
        return [f"Out of touch with the DAQ. {error}"]
    hint = " `attpcdaq login` keeps a new one." if isinstance(error, NotAllowed) and error.status == 401 else ""
    return [f"{error}{hint}"]


def status(error: DaqError) -> int:
    """The exit status."""
    if isinstance(error, OutOfTouch):
        return OUT_OF_TOUCH
    return WRONG_USAGE if isinstance(error, WrongInput) else REFUSED


pass_session = click.make_pass_decorator(Session)
