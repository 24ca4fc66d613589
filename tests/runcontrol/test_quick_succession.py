"""Runs that follow each other within seconds, as on any night: each has its files, and none is quarantined."""

from dataclasses import replace

import pytest

from attpcdaq.live.clocks import record_clock
from attpcdaq.runlog.models import Quarantined, Run
from attpcdaq.topology.models import Node
from tests.runcontrol.frames import frames
from tests.runcontrol.rig import Rig


def take(rig: Rig, *files: tuple[int, str, bytes]) -> Run:
    assert rig.do("start").state == "done"
    for number, name, data in files:
        rig.write(number, name, data)
    assert rig.do("stop").state == "done"
    return rig.close(Run.objects.first())


def test_a_run_without_any_event_leaves_the_next_one_s_files_alone(ready: Rig) -> None:
    """They were quarantined, all of them, unless their first file was longer than the run that took nothing."""
    ready.time.elapsed += 1
    assert ready.do("start").state == "done"
    ready.time.elapsed += 60
    ready.do("stop")
    assert ready.close(Run.objects.first()).files.filter(kind="data").count() == 0
    scans: list[str] = []
    ready.nodes.scan_files = scans.append  # nothing is read but beginnings
    later = "CoBo0_AsAd0_2026-11-22T09:49:30.117_0000.graw"
    rolled = later.replace("_0000.graw", "_0001.graw")
    second = take(ready, (0, later, frames(0, 0, range(3))), (0, rolled, frames(0, 0, range(3, 5))))
    assert not Quarantined.objects.exists()
    assert {row.name for row in second.files.filter(kind="data")} == {later, rolled}
    assert (second.verdict, scans) == ("", [])


def test_many_short_runs(ready: Rig) -> None:
    """All within the two minutes in which frames of any of them may still come."""
    for second in range(25, 34):
        name = f"CoBo0_AsAd0_2026-11-22T09:48:{second}.117_0000.graw"
        run = take(ready, (0, name, frames(0, 0, range(3))))
        assert [row.name for row in run.files.filter(kind="data")] == [name]
    assert not Quarantined.objects.exists()


@pytest.mark.parametrize("seen", [True, False], ids=["the monitor saw it", "nobody has looked since"])
def test_a_clock_that_is_set_right_during_the_only_run_makes_none_of_its_files_foreign(ready: Rig, seen: bool) -> None:
    name = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"
    assert ready.do("start").state == "done"
    ready.time.elapsed += 5
    node = ready.nodes.nodes["node-cobo0"]
    node.clock = replace(node.clock, offset=node.clock.offset - 300)
    ready.write(0, name, frames(0, 0, range(3)))
    if seen:
        record_clock(Node.objects.get(name="node-cobo0").pk, node.clock, ready.time.now())
    ready.time.elapsed += 5
    assert ready.do("stop").state == "done"
    run = ready.close(Run.objects.get())
    assert [row.name for row in run.files.filter(kind="data")] == [name]
    assert not Quarantined.objects.exists()


def test_a_foreign_file_stays_one_where_no_clock_was_set(ready: Rig) -> None:
    assert ready.do("start").state == "done"
    ready.time.elapsed += 5
    ready.write(0, "CoBo0_AsAd0_2026-11-22T06:48:24.458_0000.graw", frames(0, 0, range(3)))
    assert ready.do("stop").state == "done"
    assert not ready.close(Run.objects.get()).files.filter(kind="data").exists()
    assert Quarantined.objects.count() == 1
