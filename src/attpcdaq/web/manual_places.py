"""Which paragraph of the manual explains what: each page has one, and so has each state of the whole."""

import re

from attpcdaq.runcontrol.troubles.trouble_class import anchor_of

PAGES = "pages"
"""docs/pages.md: a section for each page."""
STATES = "states"
"""docs/states.md: a section for each title of the overall state."""
SECTION_OF = {
    "status": "the-status-page",
    "action": "the-status-page",
    "server-menu": "the-status-page",
    "router-menu": "the-status-page",
    "runs": "the-run-list",
    "run-": "a-run",
    "configuration": "a-run",
    "measurement": "measurements-and-plots",
    "plot": "measurements-and-plots",
    "observable": "observables",
    "experiment": "experiments",
    "shift": "shift",
    "beam-time": "shift",
    "note": "shift",
    "elog": "shift",
    "event": "events",
    "log": "logs",
    "setup": "setup",
    "setup-easy": "easy-setup",
    "setup-apply": "easy-setup",
    "setup-config": "configurations",
    "setup-host-key": "host-keys",
    "host-key": "host-keys",
    "connection": "setup",
    "accounts": "users",
    "account": "your-account",
    "account-role": "users",
    "account-password": "users",
    "account-active": "users",
    "account-token": "users",
    "token": "your-account",
    "password": "your-account",
    "audit": "audit",
    "wall": "the-wall",
    "login": "log-in",
    "logout": "log-in",
}
"""By how the name of a page's address begins; the longest beginning that fits counts."""
UNDER_WAY = "a-command-is-under-way"
ON_ITS_WAY = "a-run-is-on-its-way"
RUN_ON_ITS_WAY = re.compile(r"Run \d+ is (?:requested|starting|stopping|closing)")
BEFORE_READY = {"Idle", "Described", "Prepared"}


def of_page(name: str) -> str:
    """ "page#section" of the page whose address has this name; of the whole page where there is no section."""
    beginning = max((start for start in SECTION_OF if name.startswith(start)), key=len, default="")
    return f"{PAGES}#{SECTION_OF.get(beginning, '')}"


def of_state(title: str) -> str:
    """ "page#section" of an overall state: "Run 12 is running" -> "states#run-n-is-running"."""
    if RUN_ON_ITS_WAY.fullmatch(title):
        return f"{STATES}#{ON_ITS_WAY}"
    if title in BEFORE_READY:
        return f"{STATES}#{anchor_of('Idle, Described or Prepared')}"
    if title.endswith(" under way") and title != "Transition under way":
        return f"{STATES}#{UNDER_WAY}"
    return f"{STATES}#{anchor_of(re.sub(r'[0-9]+', 'N', title))}"
