"""One class of trouble: how it is recognised, and what the crew reads."""

import re
from dataclasses import dataclass
from typing import Literal

from attpcdaq.runcontrol.seeing.views import TroubleView


def anchor_of(heading: str) -> str:
    """The anchor that Markdown renderers commonly make of a heading."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


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
    level: Literal["bad", "warn"] = "bad"

    @property
    def anchor(self) -> str:
        """Of its section in docs/troubles.md."""
        return anchor_of(self.title)

    @property
    def view(self) -> TroubleView:
        return TroubleView(self.key, self.title, self.meaning, self.todo, self.anchor, self.level)
