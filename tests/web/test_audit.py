"""What the audit trail says of changes, log-ins and refusals, and the page and the call that show it."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from attpcdaq.audit import trail
from attpcdaq.audit.models import Entry, Outcome
from attpcdaq.audit.people import DAQ, Requester
from attpcdaq.runcontrol.asking import control
from attpcdaq.runlog.models import Experiment
from attpcdaq.runlog.observables import add
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import accounts, tokens
from attpcdaq.web.roles import ROLES, role_of
from get_protocol.state_machine import State
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.page import Page
from tests.web.people import admin, browser, expert, observer, operator
from tests.web.seen import see

pytestmark = pytest.mark.django_db
PASSWORD = "what-a-beam"


def last() -> tuple[str, str, str, str, str]:
    """Who, role, what, outcome and text of the newest line."""
    line = Entry.objects.all()[0]
    return (line.who, line.role, line.what, line.outcome, line.text)


class TestChanges:
    def test_an_experiment(self) -> None:
        client = browser(operator("kim"))
        client.post("/runs/experiments/", {"name": "e20009"})
        assert last()[:4] == ("kim", "shifter", "create experiment", "done")
        client.post("/runs/experiments/activate", {"name": "e20009"})
        assert last() == ("kim", "shifter", "activate experiment", "done", "none -> e20009")
        client.post("/runs/experiments/", {"name": "no/slash"})
        who, _, what, outcome, text = last()
        assert (who, what, outcome) == ("kim", "experiments", "refused")
        assert text.startswith("name: Experiment name 'no/slash'")

    def test_a_run_sheet_with_old_and_new_values(self) -> None:
        experiment = make_experiment()
        observable = add(experiment, DAQ, "Pressure", "number", "torr", "")
        make_run(experiment, 1, title="alphas")
        field = f"observable-{observable.pk}"
        sent = {"title": "16O", "was-title": "alphas", field: "3.5", f"was-{field}": ""}
        browser(operator("kim")).post("/runs/of/e20009/1/", sent)
        assert last() == ("kim", "shifter", "run sheet", "done", "Title: 'alphas' -> '16O'; Pressure: '' -> '3.5'")
        browser(operator("kim")).post("/runs/of/e20009/1/", {field: "x", f"was-{field}": "3.5"})
        assert last()[2:4] == ("run sheet", "refused")
        assert "'x' is not a number" in last()[4]

    def test_an_observable(self) -> None:
        row = add(make_experiment(), DAQ, "Pressure", "number", "torr", "")
        client = browser(operator("kim"))
        changed = {"name": "Pressure", "value_type": "number", "unit": "mbar", "comment": ""}
        client.post(f"/runs/observables/{row.pk}/", changed)
        assert last()[2:] == ("change observable", "done", "Pressure [torr], number -> Pressure [mbar], number")
        client.post(f"/runs/observables/{row.pk}/remove")
        assert last()[2:4] == ("remove observable", "done")

    def test_the_setup_is_for_experts(self) -> None:
        build_detector(cobos=1)
        assert browser(operator("kim")).post("/setup/apply", {"setup": ""}).status_code == 403
        assert last()[:4] == ("kim", "shifter", "setup apply", "refused")
        assert "role expert" in last()[4]
        assert browser(expert("sam")).post("/setup/apply", {"setup": "nonsense"}).status_code == 400
        assert last()[:4] == ("sam", "expert", "setup apply", "refused")

    def test_a_command_and_its_refusal(self) -> None:
        detector = build_detector(cobos=1)
        see(detector, State.IDLE)
        kim = browser(operator("kim"))
        assert kim.post("/actions/describe", REMOTE_ADDR="10.0.0.7").status_code == 302
        accepted = Entry.objects.filter(what="describe", outcome="accepted").get()
        assert (accepted.who, accepted.role, accepted.origin) == ("kim", "shifter", "10.0.0.7")
        assert accepted.command is not None
        kim.post("/actions/breakup")
        assert last()[:4] == ("kim", "shifter", "breakup", "refused")

    def test_an_observers_order(self) -> None:
        browser(observer("lee")).post("/actions/start")
        assert last()[:4] == ("lee", "observer", "start", "refused")
        assert "observer" in last()[4]


class TestLogIns:
    @pytest.fixture
    def kim(self) -> User:
        user = operator("kim")
        user.set_password(PASSWORD)
        user.save()
        return user

    def test_in_and_out(self, client: Client, kim: User) -> None:
        client.post("/login/", {"username": "kim", "password": PASSWORD}, REMOTE_ADDR="10.0.0.7")
        line = Entry.objects.get()
        assert (line.who, line.role, line.what, line.outcome, line.origin) == (
            "kim",
            "shifter",
            "log-in",
            "done",
            "10.0.0.7",
        )
        client.post("/logout/")
        assert last()[:4] == ("kim", "shifter", "log-out", "done")

    def test_a_wrong_password(self, client: Client, kim: User) -> None:
        client.post("/login/", {"username": "kim", "password": "guess"}, REMOTE_ADDR="10.0.0.7")
        line = Entry.objects.get()
        assert (line.who, line.what, line.outcome, line.origin) == ("kim", "log-in", "refused", "10.0.0.7")
        assert "guess" not in line.text

    def test_what_is_no_name_may_be_a_password(self, client: Client) -> None:
        client.post("/login/", {"username": PASSWORD, "password": "kim"})
        line = Entry.objects.get()
        assert (line.who, line.outcome) == ("unknown user", "refused")
        assert PASSWORD not in f"{line.text} {line.subject}"


class TestFromWhere:
    def origin(self, **meta: str) -> str:
        Client().post("/actions/stop", **meta)
        return Entry.objects.all()[0].origin

    def test_our_own_proxy_is_believed_for_the_last_hop_only(self) -> None:
        assert self.origin(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.7") == "10.0.0.7"
        assert self.origin(REMOTE_ADDR="", HTTP_X_FORWARDED_FOR="fd00::7") == "fd00::7"

    def test_nobody_else_is(self) -> None:
        assert self.origin(REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR="127.0.0.1") == "10.0.0.9"

    def test_nonsense_is_no_address(self) -> None:
        assert self.origin(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="<b>kim</b>") == "127.0.0.1"


class TestPage:
    @pytest.fixture(autouse=True)
    def lines(self) -> None:
        kim, lee = (
            Requester("kim", role="shifter", origin="10.0.0.7"),
            Requester("lee", role="expert", origin="token x"),
        )
        trail.record(kim, "start", Outcome.REFUSED, subject="all", text="ecc-cobo0: it is Idle", at=NOON)
        trail.record(lee, "exclude", Outcome.DONE, subject="ecc-cobo3", text="no power", at=NOON)
        trail.record(kim, "start", Outcome.DONE, subject="all", at=NOON)

    def shown(self, query: str = "") -> list[str]:
        page = Page.of(browser(observer("lee")).get(f"/audit/{query}").content)
        return [row.text() for row in page.all("//table[@id='audit']/tbody/tr")]

    def test_newest_first(self) -> None:
        rows = self.shown("?text=&who=kim")
        assert ["Done" in row for row in rows] == [True, False]
        assert "kim shifter 10.0.0.7 start Refused all ecc-cobo0: it is Idle" in rows[1]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("?who=lee&what=exclude", "no power"),
            ("?outcome=refused", "it is Idle"),
            ("?text=COBO3", "no power"),
            ("?text=token", "no power"),
        ],
    )
    def test_it_is_searched(self, query: str, words: str) -> None:
        (row,) = self.shown(query)
        assert words in row

    @pytest.mark.parametrize("query", ["?outcome=maybe", "?command=x", "?who=%00", f"?text={'x' * 101}"])
    def test_a_wrong_question_shows_nothing(self, query: str) -> None:
        assert self.shown(query) == []

    def test_a_page_holds_a_hundred(self) -> None:
        for _ in range(110):
            trail.record(DAQ, "stop", Outcome.DONE)
        assert len(self.shown("?who=DAQ")) == 100
        assert len(self.shown("?who=DAQ&page=2")) == 10

    def test_strangers_do_not_read_it(self, client: Client) -> None:
        assert client.get("/audit/").status_code == 302


class TestApi:
    def get(self, query: str) -> Any:
        bearer = f"Bearer {tokens.create('reader', observer(), DAQ)}"
        return Client().get(f"/api/v1/audit{query}", headers={"Authorization": bearer})

    def test_lines_newest_first_and_on_from_there(self) -> None:
        for number in range(3):
            trail.record(DAQ, "start", Outcome.DONE, subject=f"run {number}", at=NOON)
        answer = self.get("?what=start&limit=2").json()
        assert [line["subject"] for line in answer] == ["run 2", "run 1"]
        assert answer[0] | {"id": 0} == {
            "id": 0,
            "at": "2026-11-22T12:00:00Z",
            "who": "DAQ",
            "role": "",
            "origin": "the DAQ itself",
            "what": "start",
            "subject": "run 2",
            "outcome": "done",
            "text": "",
            "command": None,
            "request_id": "",
        }
        before = answer[1]["id"]
        tokens.revoke("reader", DAQ)
        assert [line["subject"] for line in self.get(f"?what=start&before={before}").json()] == ["run 0"]

    @pytest.mark.parametrize(
        "query", ["?limit=0", "?limit=501", "?before=x", "?command=x", "?outcome=maybe", "?who=%00", "?text=%00"]
    )
    def test_a_wrong_question(self, query: str) -> None:
        answer = self.get(query)
        assert answer.status_code == 422
        assert query[1:].partition("=")[0] in answer.json()["fields"]

    def test_each_outcome_is_one_to_ask_for(self) -> None:
        for outcome in Outcome:
            trail.record(DAQ, "start", outcome, at=NOON)
        for outcome in Outcome:
            (line,) = self.get(f"?what=start&outcome={outcome}").json()
            assert line["outcome"] == outcome
            tokens.revoke("reader", DAQ)


class TestRoles:
    def role(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("role", *arguments, stdout=out, stderr=out)
        return out.getvalue().strip()

    @pytest.mark.parametrize("role", ROLES)
    def test_an_account_of_each(self, client: Client, role: str) -> None:
        password = self.role("kim", role, "--create")
        assert role_of(User.objects.get(username="kim")) == role
        answer = client.post("/login/", {"username": "kim", "password": password})
        assert answer.headers["Location"] == "/"
        assert Entry.objects.filter(what="role", subject="kim", text=f"observer -> {role}").exists()
        assert f"kim\t{role}" in self.role()

    def test_one_role_replaces_another_however_it_was_given(self) -> None:
        user = operator("kim")
        user.is_superuser = True
        user.save()
        assert role_of(user) == "admin"
        admin("ann")  # the last one could not be taken the role
        self.role("kim", "observer")
        assert role_of(User.objects.get(username="kim")) == "observer"
        self.role("kim", "expert")
        self.role("kim", "shifter")
        assert role_of(User.objects.get(username="kim")) == "shifter"

    def test_an_observer_is_not_in_charge_any_more(self) -> None:
        kim = operator("kim")
        control.take(Requester("kim"), NOON)
        accounts.set_role(kim, "observer", DAQ)
        assert control.view().holder == ""

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("nobody", "shifter"), "There is no user 'nobody'"),
            (("kim", "shifter", "--create"), "There is a user kim already"),
            (("two words", "shifter", "--create"), "use 1 to 150 letters"),
            (("kim",), "Say which role"),
            (("kim", "king"), "invalid choice"),
        ],
    )
    def test_nonsense_is_told_what_is_allowed(self, arguments: tuple[str, ...], words: str) -> None:
        operator("kim")
        with pytest.raises(CommandError, match=words):
            self.role(*arguments)

    def test_tokens_leave_lines(self) -> None:
        operator("kim")
        call_command("token", "create", "analysis", "--user", "kim", stdout=io.StringIO())
        assert last()[2:] == ("create token", "done", "It has the rights of kim.")
        call_command("token", "revoke", "analysis")
        assert last()[2:4] == ("revoke token", "done")
        assert not Experiment.objects.exists()
