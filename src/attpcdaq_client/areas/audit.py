"""The audit trail."""

from datetime import datetime

from attpcdaq_client.areas.area import LIMIT, Area
from attpcdaq_client.calls import Call, Model


class Entry(Model):
    """One line."""

    id: int
    at: datetime
    who: str = ""
    role: str = ""
    origin: str = ""
    what: str = ""
    subject: str = ""
    outcome: str = ""
    text: str = ""
    command: str | None = None
    request_id: str = ""


AUDIT = Call("GET", "/audit", list[Entry], query=("who", "what", "outcome", "text", "command", "before", "limit"))


class Audit(Area):
    """Who did what."""

    def lines(
        self,
        *,
        who: str = "",
        what: str = "",
        outcome: str = "",
        text: str = "",
        command: str | None = None,
        before: int | None = None,
        limit: int = LIMIT,
    ) -> list[Entry]:
        """Newest first; go on with `before` the last id."""
        query = {"who": who, "what": what, "outcome": outcome, "text": text, "command": command}
        return self._send(AUDIT, query={**query, "before": before, "limit": limit})
