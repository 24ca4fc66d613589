"""One class of trouble: how it is recognised, and what the crew reads."""

import re
from dataclasses import dataclass

from attpcdaq.runcontrol.views import TroubleView


@dataclass(frozen=True, slots=True)
class TroubleClass:
    """`pattern` is searched for in the words of the server, the gateway or run control; empty: never in words."""

    key: str
    title: str
    meaning: str
    todo: str
    pattern: str = ""
    facts: str = ""
    """Where the hardware facts tell of it."""

    @property
    def anchor(self) -> str:
        """Of its section in docs/troubles.md: made of the heading as every Markdown renderer does."""
        return re.sub(r"[^a-z0-9 _-]", "", self.title.lower()).replace(" ", "-")

    @property
    def view(self) -> TroubleView:
        return TroubleView(self.key, self.title, self.meaning, self.todo, self.anchor)
