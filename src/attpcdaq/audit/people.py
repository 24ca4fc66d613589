"""Who asks for something."""

import getpass
import socket
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: the name for the record, the account where there is one, the role, and from where."""

    name: str
    user: AbstractBaseUser | None = None
    role: str = ""
    origin: str = ""
    itself: bool = False
    """The DAQ itself, or who sits at its machine: nobody needs to hand control over to it."""
    request_id: str = ""
    """The click, as the logs name it."""


DAQ = Requester("DAQ", origin="the DAQ itself", itself=True)


def at_the_console(program: str) -> Requester:
    """Who runs a `program` on the DAQ's machine, by the name of the account there."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        account = "unknown account"
    return Requester(account, role="console", origin=f"{program} on {socket.gethostname()}"[:100], itself=True)
