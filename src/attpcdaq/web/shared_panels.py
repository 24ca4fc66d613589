"""The panels of the status page, drawn once for everybody who sees the same and asks in the same moment.

What a panel shows depends on the status and on what its viewer may do, and on nothing else of the request: so thirty
browsers cost little more than one. The token against forged requests is put in afterwards.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from attpcdaq.runcontrol.seeing.sharing import Key, latest_events

# Whatever changed has left an event, but for what time alone changes: ages, figures, and who has become too old or too
# quiet to be believed. A page that notices that by itself waits for longer than this before it looks again (live.js).
SECONDS = 0.25
MOST = 16
PATIENCE_SECONDS = 1.0
TOKEN = "token-of-whoever-asks"  # noqa: S105  # stands where the real one goes
Viewer = tuple[object, ...]
"""All that of a viewer which decides what is shown."""


@dataclass(slots=True)
class Drawing:
    """What was drawn of one moment for one kind of viewer: panel -> HTML."""

    key: Key
    at: float
    context: dict[str, Any]
    panels: dict[str, str] = field(default_factory=dict)


class SharedPanels:
    """Drawings by kind of viewer; one thread draws, the others wait for it and get the same."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._drawings: dict[Viewer, Drawing] = {}

    def html(
        self,
        who: Callable[[], Viewer],
        panels: Iterable[Any],
        context: Callable[[Key], dict[str, Any]],
        token: str,
    ) -> tuple[dict[str, SafeString], dict[str, Any]]:
        """Panel -> HTML, and what they were drawn with; never without what had been committed before.

        `who` and `context` read who asks and the status, in this order and after the events that both are kept under
        (`context` is given these): somebody who is in charge a moment later must not get what was drawn while he was
        not.
        """
        if connection.in_atomic_block:
            return self._put_together(Drawing((), 0.0, context(latest_events())), panels, token)
        waited = self._lock.acquire(timeout=PATIENCE_SECONDS)
        try:
            return self._put_together(self._fresh(who, context), panels, token)
        finally:
            if waited:
                self._lock.release()

    def _fresh(self, who: Callable[[], Viewer], context: Callable[[Key], dict[str, Any]]) -> Drawing:
        at, key, viewer = self._monotonic(), latest_events(), who()
        kept = self._drawings.pop(viewer, None)
        if kept is None or not key or kept.key != key or at - kept.at > SECONDS:
            kept = Drawing(key, at, context(key))
        self._drawings[viewer] = kept
        while len(self._drawings) > MOST:
            self._drawings.pop(next(iter(self._drawings)))
        return kept

    def _put_together(
        self, drawing: Drawing, panels: Iterable[Any], token: str
    ) -> tuple[dict[str, SafeString], dict[str, Any]]:
        made = {panel.name: SafeString(self._panel(drawing, panel).replace(TOKEN, token)) for panel in panels}
        return made, drawing.context

    def _panel(self, drawing: Drawing, panel: Any) -> str:
        if panel.name not in drawing.panels:
            context = drawing.context | {"panel": panel, "csrf_token": TOKEN}
            drawing.panels[panel.name] = render_to_string("status/panel.html", context)
        return drawing.panels[panel.name]


SHARED = SharedPanels()
