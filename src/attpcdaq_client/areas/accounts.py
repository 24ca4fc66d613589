"""Accounts and API tokens."""

from datetime import datetime

from attpcdaq_client.areas.area import Area
from attpcdaq_client.calls import Call, Model


class Account(Model):
    """Who is asking, by which token."""

    name: str
    role: str
    token: str = ""


class User(Model):
    """An account; `one_time`: it has a password that somebody else made."""

    name: str
    role: str
    active: bool = True
    last_login: datetime | None = None
    one_time: bool = False
    tokens: int = 0


class NewUser(User):
    """`password` is shown only now, and is for one log-in."""

    password: str


class Password(Model):
    """Shown only now, and for one log-in."""

    name: str
    password: str


class Token(Model):
    """A token by its name; its text is not kept."""

    name: str
    user: str
    created_at: datetime | None = None
    last_used_at: datetime | None = None


class NewToken(Token):
    """`text` is shown only now."""

    text: str


ACCOUNT = Call("GET", "/account", Account)
USERS = Call("GET", "/users", list[User])
ADD_USER = Call("POST", "/users", NewUser, body=("name", "role"))
CHANGE_USER = Call("PATCH", "/users/{name}", User, body=("role", "active"))
ONE_TIME = Call("POST", "/users/{name}/password", Password)
TOKENS = Call("GET", "/tokens", list[Token], query=("all",))
MAKE_TOKEN = Call("POST", "/tokens", NewToken, body=("name", "user"))
REVOKE_TOKEN = Call("DELETE", "/tokens/{name}", type(None))


class Accounts(Area):
    """People and programs; for administrators, but for what is one's own."""

    def mine(self) -> Account:
        """Who is asking."""
        return self._send(ACCOUNT)

    def users(self) -> list[User]:
        """Everybody."""
        return self._send(USERS)

    def add(self, name: str, role: str) -> NewUser:
        """A new account with a one-time password."""
        return self._send(ADD_USER, body={"name": name, "role": role})

    def change(self, name: str, *, role: str | None = None, active: bool | None = None) -> User:
        """Another role, or whether the account may be used; the last administrator stays one."""
        return self._send(CHANGE_USER, name=name, body={"role": role, "active": active})

    def one_time_password(self, name: str) -> Password:
        """For who forgot the own."""
        return self._send(ONE_TIME, name=name)

    def tokens(self, *, everybody: bool = False) -> list[Token]:
        """The own ones; everybody's for administrators."""
        return self._send(TOKENS, query={"all": "true" if everybody else None})

    def make_token(self, name: str, *, user: str | None = None) -> NewToken:
        """A token of one's own; of another user for administrators."""
        return self._send(MAKE_TOKEN, body={"name": name, "user": user})

    def revoke_token(self, name: str) -> None:
        """From now on it opens nothing."""
        return self._send(REVOKE_TOKEN, name=name)
