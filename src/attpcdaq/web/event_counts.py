"""How many warnings and errors nobody has acknowledged, in the words of the navigation."""

from attpcdaq.live.events import MOST_COUNTED, count_open


def unacknowledged() -> str:
    """Nothing where there are none; more than anybody counts: "999+"."""
    count = count_open()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")
