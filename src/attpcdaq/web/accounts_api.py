"""Accounts and API tokens over the API; what is not one's own is for administrators."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from ninja.params.functions import Path, Query
from pydantic import Field

from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.web import accounts, people, tokens
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.accounts import AccountRefusedError, NoSuchUserError
from attpcdaq.web.api_auth import TOKEN, admin, requester
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_schemas import BODIES, STRICT, Moment
from attpcdaq.web.models import ApiToken
from attpcdaq.web.people import Person
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import role_of
from attpcdaq.web.tokens import NoSuchTokenError, TokenRefusedError

router = Router(tags=["accounts"])
ORDERS = {**ORDERED, 404: schemas.Problem}
RoleName = Literal["observer", "shifter", "expert", "admin"]
UserName = Annotated[str, Field(min_length=1, max_length=150)]
Name = Path(..., max_length=150)


class AccountOut(Schema):
    """Who is asking; `token` is empty for the session of a browser."""

    name: str
    role: RoleName
    token: str


class UserOut(Schema):
    name: str
    role: RoleName
    active: bool
    last_login: Moment | None
    one_time: bool = Field(description="It has a password that somebody else made, and not yet one of its own.")
    tokens: int = Field(description="How many API tokens it has.")


class NewUserOut(UserOut):
    password: str = Field(description="For one log-in; shown only now.")


class PasswordOut(Schema):
    name: str
    password: str = Field(description="For one log-in; shown only now.")


class UserIn(Schema):
    """A new account."""

    model_config = STRICT

    name: UserName
    role: RoleName


class UserChange(Schema):
    """What is left out stays as it is."""

    model_config = STRICT

    role: RoleName | None = None
    active: bool | None = Field(None, description="False: nobody may log in with it, and its tokens open nothing.")


class TokenIn(Schema):
    """A new token."""

    model_config = STRICT

    name: str = Field(min_length=1, max_length=tokens.NAME_LENGTH, description="What it is for.")
    user: UserName | None = Field(None, description="Whose rights it has; another user only for administrators.")


class TokenOut(Schema):
    name: str
    user: str
    created_at: Moment
    last_used_at: Moment | None


class NewTokenOut(TokenOut):
    text: str = Field(description="The token itself; shown only now.")


BODIES.update(new_user=UserIn, user_change=UserChange, new_token=TokenIn)


@router.get("/account", response={200: AccountOut, **UNAUTHORIZED}, summary="Who is asking")
def account(request: HttpRequest) -> AccountOut:
    user = requester(request)
    return AccountOut(
        name=user.get_username(), role=cast(RoleName, role_of(user)), token=getattr(request, "api_token", "")
    )


@router.get("/users", response={200: list[UserOut], **UNAUTHORIZED, 403: schemas.Problem}, summary="All accounts")
def users(request: HttpRequest) -> list[UserOut]:
    """For administrators."""
    admin(request)
    return [UserOut(**_fields(each)) for each in people.everybody()]


@router.post("/users", auth=TOKEN, response={201: NewUserOut, **ORDERED}, summary="Make an account")
def add_user(request: HttpRequest, new_user: UserIn) -> Status[NewUserOut]:
    """For administrators. The password is for one log-in: another is to be chosen then."""
    by = admin(request)
    with _told():
        password = accounts.create(new_user.name, new_user.role, by)
        made = people.person(accounts.find(new_user.name))
    return Status(HTTPStatus.CREATED, NewUserOut(**_fields(made), password=password))


@router.patch("/users/{name}", auth=TOKEN, response={200: UserOut, **ORDERS}, summary="Another role; use it or not")
def change_user(request: HttpRequest, user_change: UserChange, name: str = Name) -> UserOut:
    """For administrators. 409: nobody could give roles any more, or it would lock out who asks."""
    by = admin(request)
    with _told():
        user = accounts.change(accounts.find(name), by, role=user_change.role, active=user_change.active)
    return UserOut(**_fields(people.person(user)))


@router.post(
    "/users/{name}/password", auth=TOKEN, response={201: PasswordOut, **ORDERS}, summary="Give a one-time password"
)
def one_time_password(request: HttpRequest, name: str = Name) -> Status[PasswordOut]:
    """For administrators. Whoever is logged in with the account is so no more; its tokens go on."""
    by = admin(request)
    with _told():
        password = accounts.new_password(accounts.find(name), by)
    return Status(HTTPStatus.CREATED, PasswordOut(name=name, password=password))


@router.get(
    "/tokens", response={200: list[TokenOut], **UNAUTHORIZED, 403: schemas.Problem, 422: schemas.WrongInput},
    summary="API tokens",
)  # fmt: skip
def list_tokens(
    request: HttpRequest, everybody: bool = Query(False, alias="all", description="For administrators.")
) -> list[TokenOut]:
    """One's own, or all."""
    if everybody:
        admin(request)
    return [_token(row) for row in tokens.of(None if everybody else requester(request))]


@router.post("/tokens", auth=TOKEN, response={201: NewTokenOut, **ORDERS}, summary="Make an API token")
def make_token(request: HttpRequest, new_token: TokenIn) -> Status[NewTokenOut]:
    """It may do what its user may. Its text is shown once and not kept."""
    by = requester_of(request)
    owner = _owner(request, new_token.user)
    with _told():
        text = tokens.create(new_token.name, owner, by)
    row = tokens.of(owner).get(name=new_token.name)
    return Status(HTTPStatus.CREATED, NewTokenOut(**_token(row).dict(), text=text))


@router.delete("/tokens/{name}", auth=TOKEN, response={204: None, **ORDERS}, summary="Revoke an API token")
def revoke_token(request: HttpRequest, name: str = Path(..., max_length=tokens.NAME_LENGTH)) -> Status[None]:
    """One's own; any for administrators."""
    user = requester(request)
    with _told():
        tokens.revoke(name, requester_of(request), owner=None if role_of(user) == "admin" else user)
    return Status(HTTPStatus.NO_CONTENT, None)


def _owner(request: HttpRequest, name: str | None) -> User:
    """Whose the token will be."""
    user = requester(request)
    if name is None or name == user.get_username():
        return user
    admin(request)
    with _told():
        return accounts.find(name)


def _fields(one: Person) -> dict[str, Any]:
    plain = ("name", "role", "active", "last_login", "one_time")
    return {name: getattr(one, name) for name in plain} | {"tokens": len(one.tokens)}


def _token(row: ApiToken) -> TokenOut:
    return TokenOut(
        name=row.name, user=row.user.get_username(), created_at=row.created_at, last_used_at=row.last_used_at
    )


@contextmanager
def _told() -> Iterator[None]:
    """What the accounts refuse, as the API says it."""
    try:
        yield
    except (NoSuchUserError, NoSuchTokenError) as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None
    except (AccountRefusedError, TokenRefusedError) as error:
        raise (BadCommand(error.field, str(error)) if error.field else CommandRefused((str(error),))) from None
