"""Pages over HTTP, as a browser without scripts would fetch them."""

import http.client
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.e2e.system import System


def get(system: System, path: str, cookies: str = "", form: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """One request through nginx, on a connection of its own; the answer's body is still to be read."""
    parts = urlsplit(system.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
    return connection.getresponse()


def log_in(system: System, password: str) -> str:
    """The cookies of the shifter."""
    page = get(system, "/login/", "")
    jar = SimpleCookie(page.headers["Set-Cookie"])
    hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert hidden
    form = {"csrfmiddlewaretoken": hidden[1], "username": "shifter", "password": password}
    entered = get(system, "/login/", jar.output(attrs=[], header="", sep=";"), form)
    assert entered.status == 302, entered.read()
    for line in entered.headers.get_all("Set-Cookie", []):
        jar.load(line)
    return jar.output(attrs=[], header="", sep=";")


def open_stream(system: System, cookies: str) -> http.client.HTTPResponse:
    """The event stream of somebody who logged in."""
    stream = get(system, "/events/stream", cookies)
    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    return stream


def read_until(stream: http.client.HTTPResponse, words: str) -> str:
    """What the stream says up to the line with these words; a stream that is silent for 20 s is an error."""
    told = ""
    while words not in told:
        line = stream.readline().decode()
        assert line, told
        told += line
    return told
