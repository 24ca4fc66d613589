"""A setup that is not whole yet, kept in the session of the browser in which it is made; nothing of it is in force."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

from attpcdaq.topology import setup_store
from attpcdaq.topology.setup import Change, Setup, SetupError, changes
from attpcdaq.topology.setup_check import missing
from attpcdaq.topology.setup_file import dump, parse_rows
from attpcdaq.web.fingerprints import fingerprint
from attpcdaq.web.setup_words import in_words

KEY = "setup_draft"
MOST_TOLD = 20
OLD = "The setup was changed meanwhile, so what you had begun does not fit any more and was dropped. It was: {}."


@dataclass(frozen=True, slots=True)
class Draft:
    """What the setup is to be, over what it is."""

    setup: Setup
    over: Setup

    @property
    def missing(self) -> list[str]:
        """What is still to be added before it may be loaded."""
        return [in_words(text) for text in missing(self.setup)]

    @property
    def changes(self) -> tuple[Change, ...]:
        return changes(self.over, self.setup)


def current(request: HttpRequest) -> Draft | None:
    """The draft of this browser; one over a setup that is no more is dropped, and said."""
    kept = request.session.get(KEY)
    if kept is None:
        return None
    over = setup_store.read()
    try:
        setup = parse_rows(kept["text"])
    except SetupError:
        drop(request)
        return None
    if kept["over"] != fingerprint(over):
        drop(request)
        messages.warning(request, OLD.format(kept["told"]))
        return None
    return Draft(setup, over)


def keep(request: HttpRequest, setup: Setup, over: Setup) -> Draft | None:
    """Go on with this; None where nothing is left of it."""
    if setup == over:
        drop(request)
        return None
    told = "; ".join(f"{one.verb} {one.kind} {one.name}" for one in changes(over, setup)[:MOST_TOLD])
    request.session[KEY] = {"text": dump(setup), "over": fingerprint(over), "told": told}
    return Draft(setup, over)


def drop(request: HttpRequest) -> None:
    """Forget it."""
    request.session.pop(KEY, None)
