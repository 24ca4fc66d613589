"""What the tables know of a run beside its files, and what it does to the verdict."""

from datetime import timedelta

import pytest

from attpcdaq.gateways.ports import NodeClock
from attpcdaq.live.clocks import record_clock
from attpcdaq.live.models import Event, NodeState, RouterSample, RouterState
from attpcdaq.runlog.models import Manifest, Quarantined, Run, RunConfig, RunFile
from attpcdaq.topology.models import ConfigBlob, DataSource, Node
from tests.runcontrol.frames import name_of
from tests.runcontrol.kept_run import DIRECTORY, Kept, kept_run, texts
from tests.runcontrol.rig import Rig

CONFIGURE = b"""<Setup id="Conditions"><Node id="CoBo"><Instance id="*">
<Module><coboId>0</coboId></Module>
<AsAd id="0"><Control><isActive>true</isActive></Control></AsAd>
<AsAd id="1"><Control><isActive>true</isActive></Control></AsAd>
</Instance></Node></Setup>"""


@pytest.fixture
def kept(rig: Rig) -> Kept:
    """All its files are there."""
    return kept_run(rig)


class TestFound:
    """What the tables know beside the files."""

    def test_a_file_that_is_gone(self, kept: Kept) -> None:
        del kept.rig.nodes.nodes["node-cobo0"].directories[DIRECTORY][name_of(0, 1)]
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert f"node-cobo0: {name_of(0, 1)}: is not where it was put" in texts(manifest)

    def test_a_board_without_a_file(self, kept: Kept) -> None:
        RunFile.objects.filter(owner="router-cobo1").delete()
        assert texts(kept.made()) == ["CoBo[1]: there is no frame of it (data router router-cobo1)"]

    def test_the_configuration_says_which_asads_there_are(self, kept: Kept) -> None:
        blob = ConfigBlob.objects.create(sha256="0" * 64, size=len(CONFIGURE), data=CONFIGURE)
        common = {"run": kept.run, "server": "ecc-cobo0", "kind": "configure", "source": "file", "name": "experiment"}
        RunConfig.objects.create(**common, blob=blob, taken_at=kept.rig.time.now())
        RunFile.objects.filter(name=name_of(0, 1)).delete()
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert "CoBo0_AsAd1: there is no frame of it, and the configuration has it active" in texts(manifest)

    def test_what_was_loaded_says_it_where_no_file_was_kept_and_where_they_differ(self, kept: Kept) -> None:
        common = {"run": kept.run, "server": "ecc-cobo0", "kind": "configure", "taken_at": kept.rig.time.now()}
        RunFile.objects.filter(name=name_of(0, 1)).delete()
        blob = ConfigBlob.objects.create(sha256="0" * 64, size=len(CONFIGURE), data=CONFIGURE)
        RunConfig.objects.create(**common, name="experiment", source="loaded", blob=blob)
        assert kept.made().verdict == "incomplete"
        changed = CONFIGURE.replace(b'"1"><Control><isActive>true', b'"1"><Control><isActive>false')
        blob = ConfigBlob.objects.create(sha256="1" * 64, size=len(changed), data=changed)
        RunConfig.objects.create(**common, name="experiment", source="file", blob=blob)
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert "CoBo0_AsAd1: there is no frame of it, and the configuration has it active" in texts(manifest)

    def test_a_server_that_the_run_went_on_without_is_not_missed(self, kept: Kept) -> None:
        RunFile.objects.filter(owner="router-cobo1").delete()
        kept.run.excluded = {"ecc-cobo1": {"reason": "its node burnt", "by": "shifter", "at": "2026-11-22T09:00:00"}}
        kept.run.save()
        assert kept.made().verdict == "complete"

    def test_a_router_that_was_restarted_in_the_run(self, kept: Kept) -> None:
        RouterState.objects.filter(data_router__name="router-cobo0").update(
            restarted_at=kept.rig.time.now() - timedelta(seconds=30)
        )
        manifest = kept.made()
        assert manifest.verdict == "remarks"
        assert "router-cobo0: was restarted at " in texts(manifest)[0]

    def test_a_board_that_left_running_before_the_stop(self, kept: Kept) -> None:
        at = kept.rig.time.now() - timedelta(seconds=30)
        Event.objects.create(at=at, topic="ecc", subject="ecc-cobo1", text="Running -> Idle")
        Event.objects.create(at=kept.rig.time.now(), topic="ecc", subject="ecc-cobo0", text="Running -> Ready")
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert len(texts(manifest)) == 1
        assert texts(manifest)[0].startswith("ecc-cobo1: was Idle at ")

    def test_one_that_was_excluded_by_then_is_only_mentioned(self, kept: Kept) -> None:
        at = kept.rig.time.now() - timedelta(seconds=30)
        Event.objects.create(at=at, topic="ecc", subject="ecc-cobo1", text="Running -> Idle")
        out = {"reason": "its node burnt", "by": "shifter", "at": at.isoformat(), "meanwhile": "yes"}
        Run.objects.update(excluded={"ecc-cobo1": out})
        manifest = kept.made()
        assert manifest.verdict == "remarks"
        assert texts(manifest)[0].startswith("ecc-cobo1: was Idle at ")

    def test_a_board_that_the_setup_does_not_know_any_more(self, kept: Kept) -> None:
        RunFile.objects.filter(owner="router-cobo1").delete()
        DataSource.objects.filter(sender_id="CoBo[1]").update(sender_id="CoBo[7]")
        manifest = kept.made()
        assert manifest.verdict == "not_proven"
        assert texts(manifest)[0].startswith("CoBo[1]: is not in the setup any more")

    def test_the_full_disk_of_a_node_that_took_no_part(self, kept: Kept) -> None:
        RunFile.objects.filter(owner="router-cobo1").delete()
        Run.objects.update(
            excluded={"ecc-cobo1": {"reason": "disk full", "by": "shifter", "at": "2026-11-22T09:00:00"}}
        )
        common = {"run_id": kept.run.pk, "at": kept.rig.time.now(), "seconds": 2, "files": 1, "bytes": 1, "rate": 0.0}
        RouterSample.objects.create(**common, router="router-cobo1", node="node-cobo1", event_rate=0.0, disk_free=0)
        assert kept.made().verdict == "complete"

    def test_a_disk_that_was_full(self, kept: Kept) -> None:
        common = {"run_id": kept.run.pk, "at": kept.rig.time.now(), "seconds": 2, "files": 1, "bytes": 1, "rate": 0.0}
        RouterSample.objects.create(
            **common, router="router-cobo0", node="node-cobo0", event_rate=0.0, disk_free=1_000_000
        )
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert texts(manifest)[0].startswith("node-cobo0: its disk was full (1 MB free)")

    def test_a_clock_that_is_off(self, kept: Kept) -> None:
        clock = NodeClock(offset=-3.5, error=0.01, utc_offset=0)
        record_clock(Node.objects.get(name="node-cobo0").pk, clock, kept.rig.time.now())
        manifest = kept.made()
        text = "node-cobo0: its clock is 3.5 s behind: the times in its file names are off too"
        assert (manifest.verdict, texts(manifest)) == ("remarks", [text])

    def test_a_node_behind_an_agent_is_not_proven(self, kept: Kept) -> None:
        Node.objects.filter(name="node-cobo1").update(access="agent")
        RunFile.objects.filter(owner="router-cobo1").delete()
        manifest = kept.made()
        assert manifest.verdict == "not_proven"
        assert texts(manifest)[0].startswith("node-cobo1: is reached through its HTTP agent")

    def test_what_was_said_when_it_ended(self, kept: Kept) -> None:
        Run.objects.update(verdict="router-cobo1: still grows.")
        manifest = kept.made()
        assert (manifest.verdict, texts(manifest)) == ("remarks", ["When it ended: router-cobo1: still grows."])


class TestQuarantine:
    def put(self, kept: Kept, name: str, after: float = 0.0, why: str = "Nobody knows.") -> None:
        Quarantined.objects.create(
            node="node-cobo0",
            owner="router-cobo0",
            path=f"/staging/_quarantine/{after}/{name}",
            name=name,
            size=10,
            why=why,
            at=kept.rig.time.now() + timedelta(seconds=after),
        )

    def test_what_may_belong_to_the_run_is_missing_from_it(self, kept: Kept) -> None:
        self.put(kept, name_of(0, 0))
        manifest = kept.made()
        assert manifest.verdict == "incomplete"
        assert "is in quarantine and may belong to this run. Nobody knows." in texts(manifest)[0]

    def test_runs_that_failed_in_between_took_no_frame(self, kept: Kept) -> None:
        assert kept.made().verdict == "complete"
        for number in (2, 3):
            at = kept.rig.time.now()
            Run.objects.create(experiment=kept.run.experiment, number=number, state="failed", requested_at=at)
        self.put(kept, name_of(0, 0), after=1.0)
        kept.rig.sweep(6.0)
        assert kept.check().verdict == "incomplete"

    def later_runs(self, kept: Kept) -> None:
        for number in (2, 3, 4):
            at = kept.rig.time.now()
            Run.objects.create(experiment=kept.run.experiment, number=number, state="closed", requested_at=at)
            kept.rig.time.elapsed += 1.0

    def test_after_more_runs_it_does_not_unless_the_run_is_named(self, kept: Kept) -> None:
        self.later_runs(kept)
        self.put(kept, name_of(0, 0))
        self.put(kept, name_of(0, 0), after=1.0, why="it may be of run 2 or run 3, and there are no time stamps.")
        assert kept.made().verdict == "complete"
        self.put(
            kept, name_of(0, 0), after=1.5, why="by the board's clock its frames may be of run 1 or run 3 or run 4."
        )
        kept.rig.sweep(6.0)
        assert Manifest.objects.get().verdict == "complete"
        self.put(
            kept,
            name_of(0, 0),
            after=2.0,
            why="its time stamps go back inside it, so frames of run 1 or run 2 may be mixed.",
        )
        self.put(kept, name_of(0, 1), after=3.0)
        kept.rig.sweep(6.0)
        assert kept.check().verdict == "incomplete"

    def test_the_last_run_is_not_meant_where_others_are_named(self, kept: Kept) -> None:
        self.put(kept, name_of(0, 0), why="it may be of run 2 or run 3, and there are no time stamps to tell by.")
        assert kept.made().verdict == "complete"

    def test_a_name_that_no_data_router_gives_is_only_mentioned(self, kept: Kept) -> None:
        self.put(kept, "copy of run 7.graw")
        manifest = kept.made()
        assert manifest.verdict == "remarks"
        assert "no data router gives such a name" in texts(manifest)[0]

    def test_what_began_long_after_it_does_not(self, kept: Kept) -> None:
        NodeState.objects.update_or_create(node=Node.objects.get(name="node-cobo0"), defaults={"utc_offset": 60})
        self.put(kept, "CoBo0_AsAd0_2099-01-01T00:00:00.000_0000.graw")
        assert kept.made().verdict == "complete"

    def test_it_is_judged_anew_when_a_file_is_put_there_later(self, kept: Kept) -> None:
        assert kept.made().verdict == "complete"
        self.put(kept, name_of(0, 0), after=1.0)
        kept.rig.sweep(6.0)
        assert Manifest.objects.get().made_at is None
        assert kept.check().verdict == "incomplete"
        kept.rig.sweep(6.0)
        assert Manifest.objects.get().verdict == "incomplete"
