"""One person is in charge: taking, asking, handing over, forcing; what was refused is recorded too."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ, Requester, at_the_console
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import Control
from tests.racing import race_of
from tests.runcontrol.rig import Rig
from tests.web.people import observer, operator

KIM, LEE, SAM = (Requester(name, role="shifter", origin="10.0.0.7") for name in ("kim", "lee", "sam"))
NOW = timezone.now().replace(microsecond=0)


def later(minutes: float = 1) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def kim_holds(db: None) -> None:
    control.take(KIM, NOW)


def holder() -> str:
    return control.view().holder


def lines() -> list[tuple[str, str, str]]:
    """Who, subject and outcome of every line on control, oldest first."""
    rows = Entry.objects.filter(what="control").order_by("id")
    return [(row.who, row.subject, row.outcome) for row in rows]


@pytest.mark.django_db
class TestWhoGivesACommand:
    def test_is_in_charge_when_nobody_is(self) -> None:
        control.check(KIM, NOW)
        assert (holder(), control.view().since) == ("kim", NOW)
        assert lines() == [("kim", "kim", "done")]
        assert Event.objects.filter(topic="control", text="kim is in charge").exists()

    def test_stays_in_charge_without_another_line(self, kim_holds: None) -> None:
        control.check(KIM, later())
        assert (control.view().since, len(lines())) == (NOW, 1)

    def test_is_refused_while_somebody_else_is(self, kim_holds: None) -> None:
        with pytest.raises(CommandRefused) as refusal:
            control.check(LEE, later())
        since = f"{timezone.localtime(NOW):%H:%M}"
        assert refusal.value.reasons[0].startswith("kim is in charge since")
        assert f"{since}: ask for control, or take it with a reason." in refusal.value.reasons[0]
        assert holder() == "kim"

    @pytest.mark.parametrize("who", [DAQ, at_the_console("manage.py setup")])
    def test_needs_no_control_when_it_is_the_daq_or_its_console(self, kim_holds: None, who: Requester) -> None:
        control.check(who, later())
        assert holder() == "kim"

    def test_a_refused_command_puts_nobody_in_charge(self, rig: Rig) -> None:
        with pytest.raises(CommandRefused):
            rig.request("breakup")
        assert holder() == ""

    def test_a_stop_never_asks_who_is_in_charge(self, running: Rig) -> None:
        control.force(KIM, "test", later(0))
        assert holder() == "kim"
        assert running.do("stop").state == "done"
        assert holder() == "kim"

    def test_a_command_of_somebody_else_is_refused_and_recorded(self, ready: Rig) -> None:
        control.force(KIM, "test", later(0))
        with pytest.raises(CommandRefused, match="kim is in charge"):
            ready.request("start")
        line = Entry.objects.filter(what="start").get()
        assert (line.who, line.outcome) == ("shifter", "refused")
        assert "kim is in charge" in line.text


@pytest.mark.django_db
class TestHandingOver:
    def test_asked_and_handed_over(self, kim_holds: None) -> None:
        operator("lee")
        control.ask(LEE, later())
        seen = control.view()
        assert (seen.holder, seen.asked_by, seen.asked_at) == ("kim", "lee", later())
        control.hand_over(KIM, "lee", later(2))
        seen = control.view()
        assert (seen.holder, seen.since, seen.asked_by) == ("lee", later(2), "")

    def test_asked_and_declined(self, kim_holds: None) -> None:
        control.ask(LEE, later())
        control.decline(KIM, later(2))
        assert (holder(), control.view().asked_by) == ("kim", "")
        assert Entry.objects.filter(text="kim keeps control: lee was declined").exists()

    def test_who_asked_may_think_better_of_it(self, kim_holds: None) -> None:
        control.ask(LEE, later())
        control.decline(LEE, later(2))
        assert control.view().asked_by == ""

    def test_a_third_person_decides_nothing(self, kim_holds: None) -> None:
        control.ask(LEE, later())
        for refused in (control.decline, control.release):
            with pytest.raises(CommandRefused):
                refused(SAM, later(2))
        assert (holder(), control.view().asked_by) == ("kim", "lee")

    def test_one_asks_at_a_time_but_not_for_ever(self, kim_holds: None) -> None:
        control.ask(LEE, later())
        with pytest.raises(CommandRefused, match="lee has asked kim already"):
            control.ask(SAM, later(2))
        control.ask(SAM, later(4))
        assert control.view().asked_by == "sam"

    @pytest.mark.parametrize("to", ["nobody", "watcher", "kim", ""])
    def test_only_to_somebody_else_who_may_operate(self, kim_holds: None, to: str) -> None:
        observer("watcher")
        with pytest.raises(BadCommand) as wrong:
            control.hand_over(KIM, to, later())
        assert wrong.value.field == "to"
        assert holder() == "kim"

    def test_released_it_is_free(self, kim_holds: None) -> None:
        control.release(KIM, later())
        assert holder() == ""
        control.ask(LEE, later(2))  # nobody needs to be asked
        assert holder() == "lee"

    def test_taking_what_is_taken_is_refused(self, kim_holds: None) -> None:
        with pytest.raises(CommandRefused, match="kim is in charge"):
            control.take(LEE, later())
        with pytest.raises(CommandRefused, match="already"):
            control.take(KIM, later())

    def test_who_may_not_operate_any_more_is_out(self, kim_holds: None) -> None:
        control.ask(LEE, later())
        control.drop("lee", DAQ, later(2))
        assert (holder(), control.view().asked_by) == ("kim", "")
        control.drop("kim", DAQ, later(3))
        assert holder() == ""


@pytest.mark.django_db
class TestForce:
    def test_needs_a_reason_which_everybody_reads(self, kim_holds: None) -> None:
        control.force(LEE, "  kim went home ", later())
        assert holder() == "lee"
        text = "lee took control from kim: kim went home"
        assert control.force_of(control.view()) == text
        assert Event.objects.filter(topic="control", severity="warning", text=text).exists()

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "two\nlines"])
    def test_without_a_proper_reason_nothing_happens(self, kim_holds: None, reason: str) -> None:
        with pytest.raises(BadCommand, match="1 to 200 printable"):
            control.force(LEE, reason, later())
        assert holder() == "kim"

    def test_only_from_whom_the_page_showed(self, kim_holds: None) -> None:
        control.force(SAM, "first", later(), from_holder="kim")
        with pytest.raises(CommandRefused, match="sam is in charge now"):
            control.force(LEE, "second", later(2), from_holder="kim")
        assert holder() == "sam"

    def test_the_reason_is_kept_also_when_there_was_nobody_to_take_it_from(self, kim_holds: None) -> None:
        control.release(KIM, later())
        control.force(LEE, "kim went home", later(2), from_holder="kim")
        assert control.force_of(control.view()) == "lee is in charge, as nobody else was: kim went home"

    def test_refusals_stand_in_the_trail(self, kim_holds: None) -> None:
        with pytest.raises(CommandRefused):
            control.take(LEE, later())
        with pytest.raises(BadCommand):
            control.force(LEE, "", later())
        assert lines()[1:] == [("lee", "take", "refused"), ("lee", "force", "refused")]


def outcomes(results: list[object]) -> tuple[int, int]:
    """How many won and how many were refused."""
    refused = [result for result in results if isinstance(result, CommandRefused)]
    assert all(result is None or result in refused for result in results), results
    return len(results) - len(refused), len(refused)


def racing(names: str, change: Callable[[Requester], None]) -> list[object]:
    return race_of(*[partial(change, Requester(name)) for name in names])


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_one_of_many_first_commands_is_in_charge(self) -> None:
        results = racing("abcdefgh", lambda by: control.check(by, NOW))
        assert outcomes(results) == (1, 7)
        assert holder() in set("abcdefgh")
        assert Control.objects.count() == 1

    def test_one_of_many_asks(self) -> None:
        control.take(KIM, NOW)
        assert outcomes(racing("abcdefgh", lambda by: control.ask(by, later()))) == (1, 7)
        assert control.view().asked_by in set("abcdefgh")

    def test_one_of_many_forces(self) -> None:
        control.take(KIM, NOW)
        results = racing("abcdefgh", lambda by: control.force(by, "now", later(), from_holder="kim"))
        assert outcomes(results) == (1, 7)
        forced = Entry.objects.filter(what="control", subject="force")
        assert [line.who for line in forced.filter(outcome="done")] == [holder()]
        assert forced.filter(outcome="refused").count() == 7
