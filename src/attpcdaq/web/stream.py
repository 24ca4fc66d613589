"""The event stream to browsers: `change` (topics), `beat` (once a second), `reset` (fetch everything again)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from attpcdaq.web import event_feed
from attpcdaq.web.hub import END, HUB, Hub
from attpcdaq.web.one_time import FIRST, MUST_CHOOSE

# The browser opens it again at once, and the session is looked at again.
LIFETIME = 900.0
BROWSER_RETRY_MS = 500


@login_not_required
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Events since Last-Event-ID (or ?last=) and from now on; 401 without a log-in.

    ?drawn= is when the page was made, in seconds since 1970.
    """
    if request.method != "GET":
        return HttpResponse("use GET\n", status=405, content_type="text/plain", headers={"Allow": "GET"})
    if not isinstance(request, ASGIRequest):
        return HttpResponse(
            "the event stream is served by the process `events`\n", status=501, content_type="text/plain"
        )
    if not (await request.auser()).is_authenticated:
        return HttpResponse("log in first\n", status=401, content_type="text/plain")
    if await request.session.aget(MUST_CHOOSE):
        return HttpResponse(f"{FIRST}\n", status=403, content_type="text/plain")
    # The request lasts for minutes: it must not keep the connection that looked up its user.
    await sync_to_async(connections.close_all)()
    last = request.headers.get("Last-Event-ID") or request.GET.get("last", "")
    headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    told = messages(HUB, last, moment_of(request.GET.get("drawn", "")))
    return StreamingHttpResponse(told, content_type="text/event-stream", headers=headers)


def moment_of(epoch: str) -> datetime | None:
    """None for what is no time: then nothing is taken for granted."""
    try:
        return datetime.fromtimestamp(float(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        return None


async def messages(hub: Hub, last: str, drawn: datetime | None = None) -> AsyncIterator[bytes]:
    """The bytes of one stream which begins after event `last` (empty: now); it ends when the database fails."""
    end = asyncio.get_running_loop().time() + LIFETIME
    yield f"retry: {BROWSER_RETRY_MS}\n\n".encode()
    async with hub.listen() as queue:
        with suppress(DatabaseError):
            for first in await hub.call(partial(event_feed.opening, last, drawn)):
                yield first.encode()
            while (message := await queue.get()) is not END and asyncio.get_running_loop().time() < end:
                yield message.encode()
