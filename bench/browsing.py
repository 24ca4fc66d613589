"""A logged-in client of the pages, without a browser."""

import http.client
import re
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.e2e.system import System


class Pages:
    """Keeps its cookies, as a browser does."""

    def __init__(self, system: System, password: str) -> None:
        self._address = urlsplit(system.url)
        self.cookies = SimpleCookie[str]()
        hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/login/"))
        assert hidden
        self._log_in(hidden[1], password)

    def _log_in(self, secret: str, password: str) -> None:
        form = urlencode({"csrfmiddlewaretoken": secret, "username": "shifter", "password": password})
        status, _ = self._ask("POST", "/login/", form)
        assert status == 302, status

    def get(self, path: str) -> str:
        status, body = self._ask("GET", path)
        assert status == 200, (status, body)
        return body

    def timed(self, path: str) -> float:
        """Seconds until the whole answer was there."""
        began = time.monotonic()
        self.get(path)
        return time.monotonic() - began

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=30)
        cookies = self.cookies.output(attrs=[], header="", sep=";")
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, form, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie", []):
                self.cookies.load(line)
            return answer.status, answer.read().decode()
        finally:
            connection.close()
