"""Whether files still grow: read-back alone can lie, and a Stop is believed only when no data come any more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.runcontrol.closing.catalogue import counts
from attpcdaq.runcontrol.closing.staging import Staging, digest, staging_directories
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.topology.models import DataSource

LOOK_TIMEOUT = 3.0
APART = 0.5
# Longer than what is under way in the network needs to arrive; a board that really goes on is named then.
WAIT_AT_MOST = 10.0

Look = dict[str, int] | GatewayError


@dataclass(frozen=True, slots=True)
class Quiet:
    """What was seen of all staging directories, each in words; both empty when nothing grows."""

    growing: str = ""
    unseen: str = ""
    held: dict[str, dict[str, object]] = field(default_factory=dict)
    """Place -> digest of what it held, and since when; the close-out need not wait again where it is still so."""


async def wait_for_quiet(outside: Outside, say: Callable[[str], Awaitable[None]]) -> Quiet:
    """Return when two looks at all nodes saw the same, or after 10 s; `say` is told once who is waited for."""
    places = await sync_to_async(staging_directories)()
    give_up = outside.monotonic() + WAIT_AT_MOST
    since = outside.now().timestamp()
    before = await _look(places, outside)
    while True:
        await outside.sleep(APART)
        after = await _look(places, outside)
        looks = list(zip(places, before, after, strict=True))
        growing = [place for place, was, now in looks if _grew(was, now)]
        seen_once = any(isinstance(was, GatewayError) and not isinstance(now, GatewayError) for _, was, now in looks)
        if not (growing or seen_once) or outside.monotonic() >= give_up:
            unseen = " ".join(filter(None, map(_unseen, looks)))
            return Quiet(await _named(growing), unseen, dict(_held(look, since) for look in looks if not _unseen(look)))
        if growing:
            await say(f"Waiting: {await _named(growing)}")
        before, since = after, outside.now().timestamp()


def _held(look: tuple[Staging, Look, Look], since: float) -> tuple[str, dict[str, object]]:
    place, _, now = look
    sizes = {} if isinstance(now, GatewayError) else now
    return place.key, {"digest": digest(sizes.items()), "since": since}


def _unseen(look: tuple[Staging, Look, Look]) -> str:
    """Why nothing was seen of a place, in words; empty when both looks saw it."""
    place, *looks = look
    error = next((one for one in reversed(looks) if isinstance(one, GatewayError)), None)
    return f"{place.owner}: {error}" if error else ""


async def _look(places: list[Staging], outside: Outside) -> list[Look]:
    return list(await asyncio.gather(*(_look_at(place, outside) for place in places)))


async def _look_at(place: Staging, outside: Outside) -> Look:
    try:
        if not outside.nodes.abilities(place.node).files:
            files, size = await counts(place, outside, LOOK_TIMEOUT)
            return {"files": files, "bytes": size}
        found = await outside.nodes.list_graw(place.node, place.directory, LOOK_TIMEOUT)
    except GatewayError as error:
        return error
    return {file.name: file.size for file in found}


def _grew(before: Look, after: Look) -> bool:
    """A node that is not seen twice in a row is not waited for: it is said instead."""
    seen = not isinstance(before, GatewayError) and not isinstance(after, GatewayError)
    return seen and before != after


async def _named(growing: list[Staging]) -> str:
    return await sync_to_async(_in_words)(growing) if growing else ""


def _in_words(growing: list[Staging]) -> str:
    owners = [name for place in growing for name in place.owner.split(", ")]
    sources = DataSource.objects.filter(data_router__name__in=owners).order_by("id")
    boards = dict(sources.values_list("data_router__name", "sender_id"))
    names = ", ".join(f"{boards[name]} ({name})" if name in boards else name for name in owners)
    return f"the files of {names} still grow, so data still come."
