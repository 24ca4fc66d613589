"""Tokens: printed once, kept as a hash, useless when revoked."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.web import tokens
from attpcdaq.web.models import ApiToken
from attpcdaq.web.roles import may_operate
from tests.web.people import observer

pytestmark = pytest.mark.django_db


def create(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("token", "create", *arguments)
    return capsys.readouterr().out.strip()


def allowed(token: str) -> bool:
    return Client().get("/api/v1/runs", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_the_text_is_printed_once_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    text = create(capsys, "analysis")
    row = ApiToken.objects.get()
    assert text not in str(row.__dict__)
    assert allowed(text)
    assert not allowed(row.digest)
    assert not allowed(text + "x")
    call_command("token", "list")
    listed = capsys.readouterr().out
    assert text not in listed
    assert "analysis\tuser api\tlast used 20" in listed


def test_a_token_without_a_user_may_operate_but_nobody_can_log_in(capsys: pytest.CaptureFixture[str]) -> None:
    found = tokens.find(create(capsys, "first"), timezone.now())
    assert found is not None
    assert may_operate(found.user)
    assert not found.user.has_usable_password()
    create(capsys, "second")
    assert {row.user_id for row in ApiToken.objects.all()} == {found.user_id}


def test_who_took_the_role_from_the_user_of_tokens_is_not_overruled(capsys: pytest.CaptureFixture[str]) -> None:
    create(capsys, "first")
    made = Entry.objects.filter(subject="api").order_by("id").values_list("what", "text")
    assert list(made) == [("create user", ""), ("role", "observer -> shifter")]
    call_command("role", "api", "observer")
    found = tokens.find(create(capsys, "second"), timezone.now())
    assert found is not None
    assert not may_operate(found.user)


def test_a_token_has_the_rights_of_its_user(capsys: pytest.CaptureFixture[str]) -> None:
    user = observer()
    text = create(capsys, "look", "--user", "lee")
    found = tokens.find(text, timezone.now())
    assert found is not None
    assert not may_operate(found.user)
    user.is_active = False
    user.save()
    assert not allowed(text)


def test_a_revoked_token_opens_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = create(capsys, "first"), create(capsys, "second")
    call_command("token", "revoke", "first")
    assert not allowed(first)
    assert allowed(second)
    with pytest.raises(CommandError, match="no token 'first'; known: second"):
        call_command("token", "revoke", "first")


@pytest.mark.parametrize("name", ["", " a", "a\n", "a" * 64])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="use 1 to 63 printable"):
        call_command("token", "create", name)
    assert not ApiToken.objects.exists()


def test_a_name_is_given_once_and_the_user_must_exist() -> None:
    call_command("token", "create", "a")
    with pytest.raises(CommandError, match="There is a token a already"):
        call_command("token", "create", "a")
    with pytest.raises(CommandError, match="no user 'x'; known: api"):
        call_command("token", "create", "b", "--user", "x")
