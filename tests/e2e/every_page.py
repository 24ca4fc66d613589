"""Every page of the site, taken from its addresses, so that none is forgotten; and a demo with something in it."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import BrowserContext

from tests.e2e.system import System

# What stands in the place of each part of an address. Another part needs a line here: which page would it be?
SAMPLES = {
    "experiment": "demo",
    "number": "2",
    "pk": "1",
    "shift_id": "1",
    "server_id": "1",
    "router_id": "1",
    "kind": "ecc",
    "name": "ecc-cobo0",
    "action": "describe",
    "test_id": "00000000-0000-0000-0000-000000000001",
}
ROWS = [
    {"kind": "node", "name": "node-cobo0"},
    {"kind": "ecc_server", "name": "ecc-cobo0"},
    {"kind": "data_router", "name": "router-cobo0"},
    {"kind": "data_source", "name": "CoBo[0]"},
]
# By the name of the address, where one page is not like another.
OWN_SAMPLES = {
    "help-page": [{"name": name} for name in ("states", "first-day", "troubles", "glossary")],
    "help-file": [{"name": "searchindex.js"}],
    "log-tail": [{"kind": "ecc", "name": "ecc-cobo0"}, {"kind": "router", "name": "router-cobo0"}],
    "setup-row-add": ROWS,
    "setup-row": ROWS,
    "setup-row-remove": ROWS,
}
# Not pages: parts of them, calls, and what only machines read.
OTHER = ("api/", "partials/", "events/", "metrics", "health/", "logout/", "static/")
MORE = ("/nothing/here", "/?without=anything", "/runs/?state=closed", "/audit/?who=shifter")


def addresses() -> list[str]:
    """Everything that may answer a GET with a page."""
    return sorted({f"/{address}" for address in _walk(get_resolver().url_patterns)} | set(MORE))


def _walk(found: list[Any], before: str = "") -> Iterator[str]:
    for each in found:
        address = before + str(each.pattern)
        if address.startswith(OTHER):
            continue
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            for own in OWN_SAMPLES.get(each.name or "", [{}]):
                yield _filled(address, own)


def _filled(pattern: str, own: dict[str, str]) -> str:
    for part in pattern.split("<")[1:]:
        inside = part.partition(">")[0]
        name = inside.rpartition(":")[2]
        pattern = pattern.replace(f"<{inside}>", own.get(name) or SAMPLES[name])
    return pattern


def is_page(context: BrowserContext, url: str) -> bool:
    """Whether a GET answers with a whole page, not a part of one or a file, and not only to a POST. None may break."""
    answer = context.request.get(url, max_redirects=0, fail_on_status_code=False)
    assert answer.status < 500, (url, answer.status, answer.text()[:1000])
    whole = "text/html" in answer.headers.get("content-type", "") and "<html" in answer.text()[:1000]
    return answer.status in (200, 404) and whole


def furnish(system: System) -> None:
    """Two runs that are over, the second with a sheet; observables, a shift and a note. The demo must be a new one."""
    system.ready()
    _some_observables(system)
    for title, run_class in (("Pulser, all boards", "pulser"), ("16O on alpha, 400 Torr", "production")):
        system.do("start", title=title, run_class=run_class)
        system.do("stop")
        system.closed()
    _ask(system, "POST", "/shifts", {"crew": "Kim, Jo"})
    _ask(system, "POST", "/notes", {"text": "The beam was gone for ten minutes.", "run": 2})
    _ask(system, "PATCH", "/runs/2/sheet", {"measurements": {"Pressure": 401.5, "Gas": "He + 5 % CO2"}})


def _some_observables(system: System) -> None:
    for body in (
        {"name": "Pressure", "type": "number", "unit": "Torr", "comment": "at the gas panel"},
        {"name": "Beam current", "type": "number", "unit": "nA", "comment": ""},
        {"name": "Gas", "type": "text", "unit": "", "comment": ""},
    ):
        _ask(system, "POST", "/observables", body)


def _ask(system: System, method: str, path: str, body: dict[str, Any]) -> None:
    code, answer = system.api(method, path, body)
    assert code in (200, 201), (method, path, code, answer)
