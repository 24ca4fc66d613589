"""Every trouble in plain words: what it means and what to do next. Only a hint for people: nothing is decided by it."""

import re
from collections.abc import Iterable
from typing import Literal

from attpcdaq.runcontrol.seeing.views import TroubleView
from attpcdaq.runcontrol.troubles import troubles_agents as agents
from attpcdaq.runcontrol.troubles import troubles_ecc as ecc
from attpcdaq.runcontrol.troubles import troubles_nodes as nodes
from attpcdaq.runcontrol.troubles import troubles_own as own
from attpcdaq.runcontrol.troubles import troubles_watch as watch
from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass

Part = Literal["", "ecc", "router"]
# Unknown is not among them: the reason why is more worth, so it is left for last.
STATES = {"wedged": ecc.WEDGED, "paused": ecc.PAUSED}
ROUTERS = (watch.PORT_TAKEN, nodes.DEAF, nodes.ROUTER_OFF, nodes.DISK_FULL, watch.DISK_FILLING, watch.CLOCK_OFF)
# The texts of ours first: they may quote what a server said.
IN_WORDS: dict[Part, tuple[TroubleClass, ...]] = {
    "": (*own.BEFORE, *ecc.SERVER_SAYS, *agents.AGENTS_SAY, *nodes.NODES_SAY, *ROUTERS),
    "ecc": (*ecc.SERVER_SAYS, *own.BEFORE),
    "router": (*agents.AGENTS_SAY, *nodes.NODES_SAY, *own.BEFORE, *ROUTERS),
}
ECC_LINE = (own.NO_ANSWER, own.NOTHING_LISTENS, own.NO_CONNECTION)
NODE_LINE = (nodes.NODE_OFF,)
LAST: dict[Part, TroubleClass | None] = {"": None, "ecc": ecc.ECC_GENERIC, "router": nodes.NODE_GENERIC}
ALL: tuple[TroubleClass, ...] = (
    *(ecc.WEDGED, ecc.STILL_BUSY, ecc.PAUSED, ecc.UNKNOWN, *ecc.SERVER_SAYS, ecc.ECC_GENERIC),
    *(own.NOTHING_LISTENS, own.NO_ANSWER, own.NO_CONNECTION, own.EXCLUDED),
    *(*ROUTERS, nodes.NODE_OFF, *nodes.NODES_SAY, *agents.AGENTS_SAY, nodes.NODE_GENERIC),
    *own.BEFORE,
)


def trouble_of(
    text: str = "",
    *,
    part: Part = "",
    state: str | None = None,
    still_busy: str = "",
    deaf: bool = False,
    hears: bool | None = None,
    online: bool | None = None,
    disk_low: bool = False,
) -> TroubleView | None:
    """What `text` (a problem, last error, reason or message) and the rest of what is known of a part come to.

    `part` says whose text it is, where that is known; `state` is the word of an ECC server's state; None: no trouble.
    """
    found = _plain(state, still_busy, deaf=deaf, hears=hears, online=online, disk_low=disk_low)
    found = found or _in_words(text, part)
    if found is None and state == "unknown":
        found = ecc.UNKNOWN
    if found is None and text.strip():
        found = LAST[part]
    return found.view if found else None


def _plain(
    state: str | None, still_busy: str, *, deaf: bool, hears: bool | None, online: bool | None, disk_low: bool
) -> TroubleClass | None:
    """What needs no words to be recognised."""
    if state in STATES:
        return STATES[state]
    if still_busy:
        return ecc.STILL_BUSY
    if disk_low:
        return nodes.DISK_FULL
    if online is False:
        return nodes.ROUTER_OFF
    if hears is False:
        return watch.PORT_TAKEN
    return nodes.DEAF if deaf else None


def _in_words(text: str, part: Part) -> TroubleClass | None:
    if not text.strip():
        return None
    line = NODE_LINE if part == "router" else ECC_LINE
    # Before all others: what a person gave as the reason may be any of their words.
    first = (own.EXCLUDED, ecc.WEDGED, ecc.STILL_BUSY, ecc.PAUSED)
    return _first(text, (*first, *IN_WORDS[part], *line, ecc.UNKNOWN))


def _first(text: str, classes: Iterable[TroubleClass]) -> TroubleClass | None:
    return next((one for one in classes if one.pattern and re.search(one.pattern, text, re.DOTALL)), None)


def trouble(key: str) -> TroubleView:
    """The texts of one class; KeyError where there is none of that name."""
    return {one.key: one for one in ALL}[key].view
