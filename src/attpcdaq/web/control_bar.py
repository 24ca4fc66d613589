"""The bar on every page: who is in charge, and what this viewer can do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from attpcdaq.config.version import VERSION
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.seeing.views import ControlView
from attpcdaq.shifts import desk
from attpcdaq.web.event_counts import unacknowledged
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.navigation import places
from attpcdaq.web.roles import may_operate, why_not
from attpcdaq.web.theme import THEMES, theme_of

LOUD_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ControlBar:
    """Control as one viewer sees it; `viewer` is empty for somebody who may only look."""

    control: ControlView
    viewer: str
    forced: str
    """How the holder took it, with the reason, where it was by force."""
    now: datetime

    @property
    def mine(self) -> bool:
        return bool(self.viewer) and self.control.holder == self.viewer

    @property
    def asks_me(self) -> str:
        return self.control.asked_by if self.mine else ""

    @property
    def i_asked(self) -> bool:
        return bool(self.viewer) and self.control.asked_by == self.viewer

    @property
    def is_loud(self) -> bool:
        """Somebody else has just taken control: its loser must not miss it."""
        since = self.control.since
        return bool(self.forced) and not self.mine and since is not None and self.now - since < LOUD_FOR


def control_bar(request: HttpRequest, seen: ControlView | None = None) -> ControlBar:
    """As the one who sent this request sees it; `seen` where it was read already."""
    viewer = request.user.get_username() if may_operate(request.user) else ""
    seen = seen or control.view()
    return ControlBar(seen, viewer, control.force_of(seen), timezone.now())


def frame(request: HttpRequest) -> dict[str, object]:
    """For every template (context processor): navigation, theme, version, bar, the last event surely in the page."""
    return {
        "version": VERSION,
        "places": SimpleLazyObject(lambda: places(request.path)),
        "theme": theme_of(request),
        "themes": THEMES,
        "may_administer": SimpleLazyObject(lambda: not why_not(request.user, "admin")),
        "unacknowledged": SimpleLazyObject(unacknowledged),
        "event_id": SimpleLazyObject(latest_event_id),
        "bar": SimpleLazyObject(lambda: control_bar(request)),
        "desk": SimpleLazyObject(desk.current),
    }
