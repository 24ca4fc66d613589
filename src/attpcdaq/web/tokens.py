"""API tokens: made once, kept as a hash, looked up by it."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.web.accounts import set_role
from attpcdaq.web.models import ApiToken

PREFIX = "attpcdaq_"
NAME_LENGTH = 63
DEFAULT_USER = "api"
USE_NOTED_EVERY = timedelta(minutes=1)


class TokenRefusedError(Exception):
    """A token that may not be made or is not there; the text says why. `field`: the input that is wrong."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class NoSuchTokenError(TokenRefusedError):
    """There is no token of this name, or not for who asks."""


def create(name: str, user: User, by: Requester) -> str:
    """A new token: this text is shown once and not kept."""
    if not name or len(name) > NAME_LENGTH or not name.isprintable() or name != name.strip():
        raise TokenRefusedError(f"Token name {name[:80]!r}: use 1 to {NAME_LENGTH} printable characters.", "name")
    text = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ApiToken.objects.create(name=name, digest=_digest(text), user=user)
            record(by, "create token", Outcome.DONE, subject=name, text=f"It has the rights of {user.get_username()}.")
    except IntegrityError:
        raise TokenRefusedError(f"There is a token {name} already; revoke it or choose another name.") from None
    return text


def find(text: str, now: datetime) -> ApiToken | None:
    """The token of this text, if its user is active; notes now and then that it was used."""
    token = ApiToken.objects.select_related("user").filter(digest=_digest(text), user__is_active=True).first()
    if token:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
            ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token


def of(user: User | None) -> QuerySet[ApiToken]:
    """The tokens of a user (None: of everybody) by name, with their users."""
    rows = ApiToken.objects.select_related("user").order_by("name")
    return rows if user is None else rows.filter(user=user)


@transaction.atomic
def revoke(name: str, by: Requester, owner: User | None = None) -> None:
    """From now on this token opens nothing. Only one of `owner`, where given: NoSuchTokenError."""
    mine = of(owner)
    # PostgreSQL refuses to look for what no name can hold.
    wanted = mine.filter(name=name) if name.isprintable() else mine.none()
    deleted, _ = ApiToken.objects.filter(pk__in=wanted.values("pk")).delete()
    if not deleted:
        known = ", ".join(mine.values_list("name", flat=True)) or "none"
        raise NoSuchTokenError(f"There is no token {name[:80]!r}; known: {known}.", "name")
    record(by, "revoke token", Outcome.DONE, subject=name)


@transaction.atomic
def api_user(by: Requester) -> User:
    """The user of tokens that name no other: made a shifter who cannot log in; a role given later is not changed."""
    user = User.objects.filter(username=DEFAULT_USER).first()
    if user is None:
        user = User.objects.create_user(DEFAULT_USER)
        record(by, "create user", Outcome.DONE, subject=DEFAULT_USER)
        set_role(user, "shifter", by)
    return user


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
