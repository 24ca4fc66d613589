"""JSON over HTTP, as an outside program would speak it."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# What comes of asking somebody who is not there, or ends while it answers.
AWAY = (OSError, http.client.HTTPException, json.JSONDecodeError)


def call(
    method: str, url: str, body: object = None, token: str = "", more: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Status and decoded answer, None where there is nothing to decode; `more` are headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    asker = {"Authorization": f"Bearer {token}"} if token else {}
    headers = {"Content-Type": "application/json", **asker, **(more or {})}
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path}?{parts.query}", text, headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
    finally:
        connection.close()
