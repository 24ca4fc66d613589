"""What a browser and a program see: HTTPS to 127.0.0.1 with the stack's own certificate authority."""

import http.client
import json
import re
import ssl
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.deploy.programs import Failed
from tests.deploy.stack import Stack

HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Answer:
    """Status, headers and text."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.content = answer.status, answer.headers, answer.read()

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.content)


class Door:
    """nginx of a stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def open(self, secure: bool = True) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection("127.0.0.1", self.stack.http, timeout=20)
        authority: Path = self.stack.root / "secrets/tls/ca.pem"
        context = ssl.create_default_context(cafile=str(authority))
        return http.client.HTTPSConnection("127.0.0.1", self.stack.https, timeout=20, context=context)

    def get(self, path: str, secure: bool = True, **headers: str) -> Answer:
        return self.send("GET", path, secure=secure, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        body: str | None = None,
        secure: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = self.open(secure)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()


class Browser:
    """One who fills in forms and keeps cookies."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.jar: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> Answer:
        return self._keep(self.door.get(path, Cookie=self.cookies()))

    def post(self, path: str, **fields: str) -> Answer:
        """The form at `path`, filled in; its own hidden word goes with it."""
        hidden = HIDDEN.search(self.get(path).text)
        if hidden is None:
            raise Failed(f"{path} shows no form")
        headers = {
            "Cookie": self.cookies(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"https://127.0.0.1:{self.door.stack.https}{path}",
        }
        body = urlencode({"csrfmiddlewaretoken": hidden[1], **fields})
        return self._keep(self.door.send("POST", path, body, headers=headers))

    def cookies(self) -> str:
        return "; ".join(f"{name}={one.value}" for name, one in self.jar.items())

    def _keep(self, answer: Answer) -> Answer:
        for line in answer.headers.get_all("Set-Cookie", []):
            self.jar.load(line)
        return answer


class Api:
    """A program with a token."""

    def __init__(self, door: Door, token: str) -> None:
        self.door, self.token = door, token

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        answer = self.door.send(method, f"/api/v1{path}", text, headers=headers)
        return answer.status, answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        status, found = self.call("GET", path)
        if status != 200:
            raise Failed(f"GET {path} was answered {status}: {found}")
        return found

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/status")
        return found
