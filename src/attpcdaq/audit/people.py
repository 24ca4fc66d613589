"""Who asks for something."""

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
    """The DAQ itself, putting things right: nobody needs to hand control over to it."""


DAQ = Requester("DAQ", origin="the DAQ itself", itself=True)
