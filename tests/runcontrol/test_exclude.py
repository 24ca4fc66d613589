"""Going on without a board, and what every record says of it."""

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking.exclude import exclude, include
from attpcdaq.runcontrol.asking.preferences import preferences, set_preferences
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import Exclusion
from attpcdaq.runcontrol.seeing.gather import read_rows, system_facts
from attpcdaq.runlog.models import Run
from tests.runcontrol.rig import SHIFTER, Rig


def out(rig: Rig, name: str = "ecc-cobo1", reason: str = "power supply is dead") -> Exclusion:
    return exclude(name, reason, SHIFTER, rig.time.now())


def facts(rig: Rig):
    return system_facts(read_rows(rig.time.now()))


def test_it_is_said_and_can_be_taken_back(rig: Rig) -> None:
    out(rig, reason="  power supply is dead ")
    assert facts(rig).server("ecc-cobo1").excluded == "power supply is dead"
    assert Event.objects.filter(subject="ecc-cobo1", text="shifter: excluded: power supply is dead").exists()
    include("ecc-cobo1", SHIFTER, rig.time.now())
    assert facts(rig).server("ecc-cobo1").excluded == ""
    lines = Entry.objects.order_by("id").values_list("what", "subject", "outcome")
    assert [line for line in lines if line[0] != "control"] == [
        ("exclude", "ecc-cobo1", "done"),
        ("include", "ecc-cobo1", "done"),
    ]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "two\nlines"])
def test_a_reason_is_needed(rig: Rig, reason: str) -> None:
    with pytest.raises(BadCommand, match="1 to 200 printable"):
        out(rig, reason=reason)
    assert not Exclusion.objects.exists()
    assert Entry.objects.get(what="exclude").outcome == "refused"


def test_an_unknown_name_is_answered_with_the_known_ones(rig: Rig) -> None:
    with pytest.raises(BadCommand, match="known are ecc-cobo0, ecc-cobo1, ecc-mutant"):
        out(rig, "ecc-cobo9")


def test_twice_is_refused_and_so_is_including_what_is_in(rig: Rig) -> None:
    out(rig)
    with pytest.raises(CommandRefused, match="is excluded already \\(power supply is dead\\)"):
        out(rig, reason="another one")
    with pytest.raises(CommandRefused, match="ecc-cobo0 is not excluded"):
        include("ecc-cobo0", SHIFTER, rig.time.now())


def test_the_last_one_stays(rig: Rig) -> None:
    out(rig, "ecc-cobo0")
    out(rig, "ecc-cobo1")
    with pytest.raises(CommandRefused, match="nothing would be left to run"):
        out(rig, "ecc-mutant")


def test_only_who_is_in_charge(rig: Rig) -> None:
    out(rig)
    with pytest.raises(CommandRefused, match="shifter is in charge"):
        exclude("ecc-cobo0", "why not", Requester("other"), rig.time.now())


def test_the_record_of_the_open_run_tells_from_when_to_when(running: Rig) -> None:
    out(running)
    said = Run.objects.get().excluded["ecc-cobo1"]
    assert (said["reason"], said["by"]) == ("power supply is dead", "shifter")
    include("ecc-cobo1", SHIFTER, running.time.now())
    said = Run.objects.get().excluded["ecc-cobo1"]
    assert said["included_by"] == "shifter"
    assert said["reason"] == "power supply is dead"
    out(running, reason="again")
    assert Run.objects.get().excluded["ecc-cobo1"].keys() == {"reason", "by", "at", "meanwhile"}


def test_a_run_that_has_stopped_went_on_without_nobody(running: Rig) -> None:
    running.do("stop")
    out(running)
    assert Run.objects.get().excluded == {}


def test_reconfiguring_the_mutant_is_a_setting(rig: Rig) -> None:
    now = rig.time.now()
    assert not set_preferences(SHIFTER, now, reconfigure_mutant=False)
    assert set_preferences(SHIFTER, now, reconfigure_mutant=True)
    assert not set_preferences(SHIFTER, now, reconfigure_mutant=True)
    assert preferences().reconfigure_mutant
    assert facts(rig).reconfigure_mutant
    entry = Entry.objects.get(what="preferences")
    assert (entry.outcome, entry.text) == ("done", "off -> on")
    assert Event.objects.filter(topic="setup", subject="preferences").count() == 1
