"""How a run came about: its phases, what was ordered, every call to an ECC server."""

from datetime import datetime

from attpcdaq_client.calls import Model


class Phase(Model):
    """A state of the run; without an end it lasts."""

    name: str
    begin: datetime
    end: datetime | None = None
    seconds: float | None = None


class TimedCall(Model):
    """One call to one ECC server."""

    stage: int
    server: str
    transition: str
    state: str = ""
    message: str = ""
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float | None = None


class Order(Model):
    """A command or a restart and what came of it."""

    kind: str
    label: str = ""
    by: str = ""
    state: str = ""
    message: str = ""
    requested_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float | None = None
    calls: list[TimedCall] = []


class Timeline(Model):
    """From the first of them to the last."""

    begin: datetime
    end: datetime
    phases: list[Phase] = []
    orders: list[Order] = []
