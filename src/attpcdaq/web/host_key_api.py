"""The host keys of the nodes over the API."""

from http import HTTPStatus
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from attpcdaq.runcontrol.asking import host_keys
from attpcdaq.runcontrol.publish import publish_host_key
from attpcdaq.runcontrol.seeing.host_keys import NodeKeys, node_keys, of
from attpcdaq.web.api_auth import TOKEN, expert
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_schemas import BODIES, STRICT, Moment, ServerName

router = Router()
Standing = Literal["agent", "changed", "other", "unknown", "trusted", "unread", "none"]


class TrustedKeyOut(Schema):
    """A key that counts; without `by` it is in the known_hosts file of the settings."""

    kind: str
    fingerprint: str
    by: str
    at: Moment | None
    reason: str


class NodeKeysOut(Schema):
    """A node's keys. `standing` changed: it shows another key than the one that is trusted."""

    name: str
    address: str
    standing: Standing
    trusted: list[TrustedKeyOut]
    shown: str = Field(description="Fingerprint of the key that it showed when it was last asked for.")
    shown_kind: str
    shown_at: Moment | None
    asked_at: Moment | None
    reading: bool = Field(description="It is being read.")
    problem: str


class KeyNodeIn(Schema):
    """The node whose key is to be read."""

    model_config = STRICT

    node: ServerName


class PinIn(KeyNodeIn):
    """The key to be trusted, by the fingerprint that somebody compared with the node's own."""

    fingerprint: str = Field(min_length=1, max_length=63)
    reason: str = Field("", max_length=200, description="Needed when another key is pinned for the node.")


class UnpinIn(KeyNodeIn):
    """The pinned key to be trusted no longer."""

    fingerprint: str = Field(min_length=1, max_length=63)


BODIES.update(whose=KeyNodeIn, pinned=PinIn, unpinned=UnpinIn)


@router.get("/host-keys", response={200: list[NodeKeysOut], **UNAUTHORIZED}, summary="Host keys of the nodes")
def host_keys_of_all(request: HttpRequest) -> list[NodeKeys]:
    return node_keys(timezone.now())


@router.post(
    "/host-keys/read", auth=TOKEN, response={202: NodeKeysOut, **ORDERED}, summary="Read the key that a node shows"
)
def read_host_key(request: HttpRequest, whose: KeyNodeIn) -> Status[NodeKeys | None]:
    """For experts. 202: it is asked for; it follows in the list of host keys. Nobody logs in for it."""
    now = timezone.now()
    publish_host_key(host_keys.ask(whose.node, expert(request), now).pk)
    return Status(HTTPStatus.ACCEPTED, of(whose.node, now))


@router.post("/host-keys/pin", auth=TOKEN, response={201: NodeKeysOut, **ORDERED}, summary="Trust a node's key")
def pin_host_key(request: HttpRequest, pinned: PinIn) -> Status[NodeKeys | None]:
    """For experts. 409: the node showed another key when it was last read, or the key is pinned already."""
    now = timezone.now()
    host_keys.pin(pinned.node, pinned.fingerprint, expert(request), now, pinned.reason)
    return Status(HTTPStatus.CREATED, of(pinned.node, now))


@router.post("/host-keys/unpin", auth=TOKEN, response={200: NodeKeysOut, **ORDERED}, summary="Trust a key no longer")
def unpin_host_key(request: HttpRequest, unpinned: UnpinIn) -> NodeKeys | None:
    """For experts. 409: it is not pinned."""
    now = timezone.now()
    host_keys.unpin(unpinned.node, unpinned.fingerprint, expert(request), now)
    return of(unpinned.node, now)
