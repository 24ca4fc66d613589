"""Files that change on the nodes while they are in use, and configurations compared."""

import pytest

from attpcdaq.gateways.errors import Unreachable
from attpcdaq.live.models import DiskConfig
from attpcdaq.runcontrol.seeing import configurations
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from attpcdaq.testing.builders import CONFIGS
from tests.runcontrol.configs import CONFIGURE, DESCRIBE, events, keep, put, remove, used, watch, with_files
from tests.runcontrol.rig import Rig


@pytest.fixture
def rig(rig: Rig) -> Rig:
    return with_files(rig)


class TestDrift:
    @pytest.fixture
    def loaded(self, rig: Rig) -> Rig:
        rig.make_ready()
        keep(rig)
        watch(rig)
        watch(rig)  # a describe file that was read names more of them
        return rig

    def drifts(self) -> tuple[str, ...]:
        return next(server.drifts for server in snapshot().ecc_servers if server.name == "ecc-cobo0")

    def test_nothing_is_said_while_the_files_are_as_they_were(self, loaded: Rig) -> None:
        assert self.drifts() == ()
        rows = DiskConfig.objects.filter(ecc_server__name="ecc-cobo0", blob__isnull=False)
        assert sorted(rows.values_list("kind", "name")) == [
            ("configure", "experiment"),
            ("describe", "cobo0"),
            ("hardware", "full"),
            ("prepare", "experiment"),
        ]

    def test_what_did_not_change_is_not_read_again(self, loaded: Rig) -> None:
        loaded.nodes.fail("node-cobo0", "read_file", Unreachable("it was read again"), times=1)
        watch(loaded)
        assert loaded.nodes.nodes["node-cobo0"].trouble

    def test_a_changed_file_is_said_once_and_taken_back(self, loaded: Rig) -> None:
        put(loaded, "configure-experiment.xcfg", CONFIGURE.replace(b">512<", b">256<"), mtime=2000.0)
        for _ in range(3):
            watch(loaded)
        text = (
            "configure-experiment.xcfg changed on disk after Prepare and Configure: what runs is the old one; "
            "Go to Ready loads the new one."
        )
        assert self.drifts() == (text,)
        assert events().count(text) == 1
        put(loaded, "configure-experiment.xcfg", CONFIGURE, mtime=3000.0)
        watch(loaded)
        assert self.drifts() == ()
        assert events()[-1] == "configure-experiment.xcfg is on disk again as it was loaded"

    def test_go_to_ready_loads_the_new_one_and_a_start_does_not(self, loaded: Rig) -> None:
        changed = DESCRIBE.replace(b"46001", b"46009")
        put(loaded, "describe-cobo0.xcfg", changed, mtime=2000.0)
        watch(loaded)
        assert "after Describe" in self.drifts()[0]
        start = {stage.transition for stage in snapshot().actions["start"].stages}
        assert start == {"Start"}
        assert loaded.do("go_ready").state == "done"
        keep(loaded)
        assert used()["describe", "file", "cobo0"] == changed
        assert self.drifts() == ()

    def test_it_is_only_a_warning(self, loaded: Rig) -> None:
        before = snapshot(loaded.time.now())
        put(loaded, "configure-experiment.xcfg", b"<other/>", mtime=2000.0)
        watch(loaded)
        status = snapshot(loaded.time.now())
        assert self.drifts()
        assert status.overall == before.overall
        assert status.actions["start"].allowed

    def test_a_file_that_is_gone_is_drift_and_leads_nowhere(self, loaded: Rig) -> None:
        remove(loaded, "configure-experiment.xcfg")
        for _ in range(2):
            watch(loaded)
        (text,) = self.drifts()
        assert "it is gone from its node" in text
        assert events().count(text) == 1
        assert not snapshot().actions["go_ready"].stages

    def test_a_node_that_is_away_says_nothing(self, loaded: Rig) -> None:
        loaded.nodes.take_down("node-cobo0")
        watch(loaded)
        assert self.drifts() == ()

    def test_what_is_not_in_use_does_not_drift(self, loaded: Rig) -> None:
        put(loaded, "configure-experiment.xcfg", b"<other/>", mtime=2000.0)
        loaded.do("go_idle")
        watch(loaded)
        assert self.drifts() == ()

    def test_a_file_that_changes_within_the_second_is_seen(self, rig: Rig) -> None:
        """SFTP gives whole seconds."""
        rig.make_ready()
        keep(rig)
        young = rig.time.now().timestamp()
        put(rig, "configure-experiment.xcfg", CONFIGURE, mtime=young)
        watch(rig)
        put(rig, "configure-experiment.xcfg", CONFIGURE.replace(b">512<", b">256<"), mtime=young)
        watch(rig)
        assert self.drifts()

    def test_one_that_is_too_large_is_not_read(self, loaded: Rig) -> None:
        put(loaded, "configure-experiment.xcfg", b"x" * 4_000_001, mtime=2000.0)
        loaded.nodes.fail("node-cobo0", "read_file", Unreachable("it was read"), times=1)
        watch(loaded)
        assert "at most 4000000 are read" in self.drifts()[0]


class TestCompared:
    def test_runs_are_compared_and_servers_with_the_same_difference_stand_together(self, rig: Rig) -> None:
        for run in (1, 2):
            rig.make_ready() if run == 1 else rig.do("go_ready")
            keep(rig)
            rig.do("start")
            rig.do("stop")
            rig.close(Run.objects.get(number=run))
            changed = CONFIGURE.replace(b">512<", b">256<")
            for node in ("node-cobo0", "node-cobo1"):
                rig.nodes.write(node, f"{CONFIGS}/configure-experiment.xcfg", changed, mtime=2000.0)
            watch(rig)
        found = configurations.pairs(configurations.side("e20009/1"), configurations.side("e20009/2"))
        other = [pair for pair in found if pair.compared.differences]
        assert {pair.kind for pair in other} >= {"configure", "prepare"}
        pair = next(pair for pair in other if pair.kind == "configure" and pair.servers == ("ecc-cobo0",))
        assert {(d.group, d.parameter, d.old, d.new) for d in pair.compared.differences} == {
            ("CoBo[*]", "Module/readoutDepth", "512", "256")
        }
        now = configurations.pairs(configurations.side("e20009/2"), configurations.side("now"))
        assert not any(pair.compared.differences for pair in now if "ecc-cobo0" in pair.servers)

    @pytest.mark.parametrize("key", ["", "e1", "e1/x", "e1/1/else", "e1/1", "x\n/1", "e1/" + "9" * 30, "e1/²"])
    def test_what_is_nothing_is_said(self, rig: Rig, key: str) -> None:
        with pytest.raises(configurations.UnknownSideError, match=r"allowed|There is no run"):
            configurations.side(key)
