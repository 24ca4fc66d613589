"""Where a page's event stream begins: the last event that is surely in what the page shows."""

from attpcdaq.live.models import Event


def latest_event_id() -> int:
    """Read this before anything that the page shows; 0 when nothing has happened yet."""
    return Event.objects.values_list("id", flat=True).first() or 0
