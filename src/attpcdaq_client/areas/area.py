"""What the areas have in common."""

from datetime import datetime

from attpcdaq_client.calls import Model
from attpcdaq_client.connection import Connection

LIMIT = 100


class Area:
    """Some of the API's calls, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._send = connection.send


class Accepted(Model):
    """An order that was written down; follow it under its id."""

    id: str
    state: str = ""


def moment(value: datetime | None) -> str | None:
    """As the API takes times."""
    return value.isoformat() if value else None
