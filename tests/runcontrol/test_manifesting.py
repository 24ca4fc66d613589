"""The manifest of a run: files read on their nodes in the background, judged, and written down beside the data."""

import hashlib

import pytest
from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import Refused, Unreachable
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.proving import manifest_reading
from attpcdaq.runcontrol.proving.manifesting import check_files
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Manifest, Run, RunFile
from tests.runcontrol.frames import frames, name_of
from tests.runcontrol.kept_run import DIRECTORY, EVENTS, Kept, kept_run, texts
from tests.runcontrol.rig import Rig
from tests.runcontrol.test_close_out import messages


@pytest.fixture
def kept(rig: Rig) -> Kept:
    """All its files are there."""
    return kept_run(rig)


class TestMade:
    def test_a_run_that_is_whole_is_complete(self, kept: Kept) -> None:
        manifest = kept.made()
        assert (manifest.verdict, manifest.reasons) == ("complete", [])
        assert [row["source"] for row in manifest.sources] == [
            *(f"CoBo{cobo}_AsAd{asad}" for cobo in (0, 1) for asad in (0, 1)),
            "MuTanT",
        ]
        assert manifest.working_at is None
        assert manifest.again_at is None
        event = Event.objects.exclude(text="").filter(topic="manifest").get()
        assert event.text == "The data of run 1 are complete"

    def test_every_file_has_its_checksum_and_what_is_in_it(self, kept: Kept) -> None:
        kept.made()
        data = frames(1, 0, EVENTS)
        row = RunFile.objects.get(owner="router-cobo1", name__startswith="CoBo1_AsAd0")
        assert row.sha256 == hashlib.sha256(data).hexdigest()
        assert (row.frames, row.first_event, row.last_event) == (50, 0, 49)
        assert (row.first_time, row.last_time) == (1_000_000_000, 1_490_000_000)

    def test_it_lies_beside_the_data_on_every_node(self, kept: Kept) -> None:
        manifest = kept.made()
        for node in ("node-cobo0", "node-cobo1", "node-mutant"):
            whole = kept.written(node)
            assert (whole["version"], whole["experiment"], whole["run"]) == (1, "e20009", 1)
            assert whole["verdict"] == "complete"
            assert len(whole["files"]) == 5
            assert len(whole["sources"]) == 5
            assert manifest.written[node] == {"paths": [f"{DIRECTORY}/manifest.json"], "problem": ""}

    def test_it_is_made_once(self, kept: Kept) -> None:
        kept.made()
        assert not check_files(kept.run.pk, kept.rig.outside)

    def test_not_before_the_run_is_closed(self, kept: Kept) -> None:
        Run.objects.update(state="closing")
        manifests.ask(kept.run.pk, kept.rig.time.now())
        assert not check_files(kept.run.pk, kept.rig.outside)

    def test_one_at_a_time_in_the_whole_system(self, kept: Kept) -> None:
        other = Kept(kept.rig, number=2)
        for run in (kept.run, other.run):
            manifests.ask(run.pk, kept.rig.time.now())
        assert manifests.claim(other.run.pk, kept.rig.time.now()) is not None
        assert not check_files(kept.run.pk, kept.rig.outside)
        manifests.release(other.run.pk)
        assert check_files(kept.run.pk, kept.rig.outside)

    def test_files_that_came_meanwhile_are_not_left_out(self, kept: Kept) -> None:
        """It is asked for again while the files are judged: what was made then does not count."""
        manifests.ask(kept.run.pk, kept.rig.time.now())
        scan, asked = kept.rig.nodes.scan_files, []

        async def scan_then_more(*args, **more):
            found = await scan(*args, **more)
            if not asked:
                asked.append(True)
                kept.rig.time.elapsed += 1
                await sync_to_async(manifests.ask)(kept.run.pk, kept.rig.time.now())
            return found

        kept.rig.nodes.scan_files = scan_then_more
        assert kept.check().verdict == ""
        assert kept.check().verdict == "complete"


class TestResumed:
    def test_what_was_read_is_not_read_again(self, kept: Kept) -> None:
        kept.made()
        late = kept.put(0, 0, range(50, 52), path=f"{DIRECTORY}/late.graw")
        kept.rig.nodes.write("node-cobo0", f"{DIRECTORY}/late.graw", frames(0, 0, range(50, 52)), mtime=0.0)
        scanned = []
        scan = kept.rig.nodes.scan_files

        async def noted(node, directory, names, timeout, **more):
            scanned.extend(names)
            return await scan(node, directory, names, timeout, **more)

        kept.rig.nodes.scan_files = noted
        manifest = kept.made()
        assert scanned == ["late.graw"]
        assert manifest.verdict == "remarks"
        late.refresh_from_db()
        assert late.frames == 2

    def test_all_over_reads_everything(self, kept: Kept) -> None:
        kept.made()
        kept.rig.nodes.append("node-cobo0", f"{DIRECTORY}/{name_of(0, 0)}", b"\0" * 10)
        manifests.ask(kept.run.pk, kept.rig.time.now())
        assert kept.check().verdict == "complete"  # nobody looked
        manifests.ask(kept.run.pk, kept.rig.time.now(), all_over=True)
        manifest = kept.check()
        assert manifest.verdict == "incomplete"
        assert any("when it was put there" in text for text in texts(manifest))

    def test_given_back_when_it_lasts_and_taken_up_where_it_stopped(self, kept: Kept) -> None:
        elsewhere = "/elsewhere/e20009/run_0001"
        kept.rig.nodes.write("node-cobo0", f"{elsewhere}/{name_of(0, 1)}", frames(0, 1, EVENTS), mtime=0.0)
        RunFile.objects.filter(name=name_of(0, 1)).update(path=f"{elsewhere}/{name_of(0, 1)}")
        scan = kept.rig.nodes.scan_files

        async def slow(*args, **more):
            kept.rig.time.elapsed += manifest_reading.WORK_FOR + 1
            return await scan(*args, **more)

        kept.rig.nodes.scan_files = slow
        assert kept.made().verdict == ""
        assert 0 < RunFile.objects.exclude(scanned_at=None).count() < 5
        for _ in range(4):
            check_files(kept.run.pk, kept.rig.outside)
        assert Manifest.objects.get().verdict == "complete"
        assert Manifest.objects.get().written["node-cobo0"]["paths"] == [
            f"{elsewhere}/manifest.json",
            f"{DIRECTORY}/manifest.json",
        ]

    def test_no_file_is_read_while_a_command_is_at_work(self, kept: Kept, hurry: None) -> None:
        command = kept.rig.request("describe")
        manifest = kept.made()
        assert manifest.verdict == ""
        assert not RunFile.objects.exclude(scanned_at=None).exists()
        type(command).objects.update(state="done")
        assert kept.check().verdict == "complete"


class TestSweeper:
    """Somebody is told of a manifest that is due, until it is made."""

    def test_at_once_and_again_when_nobody_came(self, kept: Kept) -> None:
        kept.rig.sweep()
        before = messages("check_files")
        manifests.ask(kept.run.pk, kept.rig.time.now())
        kept.rig.sweep()
        assert messages("check_files") == before + 1
        kept.rig.time.elapsed += 0.5
        kept.rig.sweep(4.0)
        assert messages("check_files") == before + 1
        kept.rig.sweep(2.0)
        assert messages("check_files") == before + 2

    def test_not_when_it_is_made(self, kept: Kept) -> None:
        kept.made()
        before = messages("check_files")
        kept.rig.sweep(7.0)
        assert messages("check_files") == before

    def test_it_is_taken_from_who_is_silent_and_from_nobody_else(self, kept: Kept) -> None:
        manifests.ask(kept.run.pk, kept.rig.time.now())
        manifests.claim(kept.run.pk, kept.rig.time.now())
        kept.rig.sweep(9.0)
        manifests.still_working(kept.run.pk, kept.rig.time.now())
        kept.rig.sweep(9.0)
        assert not check_files(kept.run.pk, kept.rig.outside)
        before = messages("check_files")
        kept.rig.sweep(3.0)
        assert messages("check_files") == before + 1
        assert kept.check().verdict == "complete"

    def test_what_is_not_closed_waits(self, kept: Kept) -> None:
        Run.objects.update(state="closing", files_moving_at=kept.rig.time.now())
        manifests.ask(kept.run.pk, kept.rig.time.now())
        before = messages("check_files")
        kept.rig.sweep(1.0)
        assert messages("check_files") == before


class TestNodeAway:
    def test_what_cannot_be_read_is_not_proven_and_tried_again(self, kept: Kept) -> None:
        kept.rig.nodes.take_down("node-cobo1", Unreachable("node-cobo1: no route to host"))
        manifest = kept.made()
        assert manifest.verdict == "not_proven"
        assert texts(manifest) == ["node-cobo1: 2 files could not be read: node-cobo1: no route to host"]
        assert manifest.written["node-cobo1"]["problem"] == "node-cobo1: no route to host"
        assert kept.written("node-cobo0")["verdict"] == "not_proven"
        assert not check_files(kept.run.pk, kept.rig.outside)  # not before its time
        kept.rig.nodes.recover("node-cobo1")
        kept.rig.time.elapsed += 61
        assert kept.check().verdict == "complete"
        assert kept.written("node-cobo1")["verdict"] == "complete"
        said = Event.objects.exclude(text="").filter(topic="manifest").order_by("id")
        assert [event.severity for event in said] == ["warning", "info"]

    def test_after_a_day_nobody_tries_any_more(self, kept: Kept) -> None:
        kept.rig.nodes.take_down("node-cobo1")
        kept.made()
        kept.rig.time.elapsed += 24 * 3600 + 61
        assert kept.check().again_at is None

    def test_a_node_that_is_away_while_it_is_written_gets_it_later(self, kept: Kept) -> None:
        kept.rig.nodes.fail("node-cobo0", "write_file", Unreachable("gone"), times=1)
        manifest = kept.made()
        assert (manifest.verdict, manifest.written["node-cobo0"]["problem"]) == ("complete", "gone")
        kept.rig.time.elapsed += 61
        assert kept.check().written["node-cobo0"]["problem"] == ""
        assert kept.written("node-cobo0")["verdict"] == "complete"

    def test_a_node_that_is_not_in_the_setup_any_more(self, kept: Kept) -> None:
        RunFile.objects.filter(owner="router-cobo1").update(node="scrapped")
        manifest = kept.made()
        assert manifest.verdict == "not_proven"
        assert texts(manifest) == ["scrapped: 2 files could not be read: its node is not in the setup any more"]
        assert manifest.again_at is None

    def test_a_file_that_may_not_be_read(self, kept: Kept) -> None:
        kept.rig.nodes.fail("node-cobo1", "scan_files", Refused("permission denied"))
        manifest = kept.made()
        assert texts(manifest) == ["node-cobo1: 2 files could not be read: permission denied"]
        assert manifest.again_at is None

    def test_a_fault_of_ours_is_said(self, kept: Kept) -> None:
        kept.rig.nodes.fail("node-cobo1", "scan_files", RuntimeError("boom"))
        manifest = kept.made()
        assert manifest.verdict == "not_proven"
        assert "boom" in texts(manifest)[0]
        kept.rig.nodes.recover("node-cobo1")
        kept.rig.time.elapsed += 61
        assert kept.check().verdict == "complete"
