"""Configurations as they were: captured at each transition, kept with the run, and watched on the nodes."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.gateways.errors import NoAnswer, Unreachable
from attpcdaq.live import config_store
from attpcdaq.live.models import DiskConfig, Event, UsedConfig
from attpcdaq.monitor.configs import ConfigWatch
from attpcdaq.runcontrol.asking.adopt import adopt
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.doing import configs_kept
from attpcdaq.runcontrol.doing.configs_kept import parts_of
from attpcdaq.runcontrol.seeing import configurations
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.testing.builders import CONFIGS
from attpcdaq.topology.models import ConfigBlob, Node
from get_protocol.ecc_client import decode_text_reply
from get_protocol.errors import ProtocolError
from get_protocol.state_machine import Transition
from tests.protocol.recorded import recorded, response
from tests.runcontrol.rig import SHIFTER, Rig

DESCRIBE = b"""<?xml version="1.0" encoding="UTF-8"?>
<Setup id="Hardware"><Node id="CoBo"><Instance id="0"><HardwareConfigId>full</HardwareConfigId><Endpoint>
<addressField id="0">127</addressField><addressField id="1">0</addressField><addressField id="2">1</addressField>
<addressField id="3">1</addressField><port>46001</port></Endpoint></Instance></Node></Setup>
"""
CONFIGURE = recorded("configs", "configure-experiment.xcfg")
HARDWARE = b'<Setup id="Hardware"><Device id="debug"/></Setup>'


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """With files worth the name on the node of the first CoBo."""
    put(rig, "describe-cobo0.xcfg", DESCRIBE)
    put(rig, "configure-experiment.xcfg", CONFIGURE)
    put(rig, "hardwareDescription_full.xcfg", HARDWARE)
    return rig


def put(rig: Rig, name: str, data: bytes, mtime: float = 1000.0) -> None:
    rig.nodes.write("node-cobo0", f"{CONFIGS}/{name}", data, mtime=mtime)


def remove(rig: Rig, name: str) -> None:
    del rig.nodes.nodes["node-cobo0"].directories[CONFIGS][name]


def keep(rig: Rig) -> None:
    configs_kept.keep(None, rig.outside)


def watch(rig: Rig) -> None:
    """One round of the monitor."""

    async def in_thread(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work)()

    async def look() -> None:
        await ConfigWatch(rig.nodes, in_thread, rig.time).look()  # type: ignore[arg-type]

    async_to_sync(look)()


def used(server: str = "ecc-cobo0") -> dict[tuple[str, str, str], bytes | None]:
    rows = UsedConfig.objects.filter(ecc_server__name=server).select_related("blob")
    return {(row.kind, row.source, row.name): bytes(row.blob.data) if row.blob else None for row in rows}


def kept(run: Run, server: str = "ecc-cobo0") -> dict[tuple[str, str, str], bytes | None]:
    rows = RunConfig.objects.filter(run=run, server=server).select_related("blob")
    return {(row.kind, row.source, row.name): bytes(row.blob.data) if row.blob else None for row in rows}


def events(subject: str = "ecc-cobo0") -> list[str]:
    return list(Event.objects.filter(subject=subject).exclude(text="").order_by("id").values_list("text", flat=True))


FILES = {
    ("describe", "file", "cobo0"): DESCRIBE,
    ("hardware", "file", "full"): HARDWARE,
    ("prepare", "file", "experiment"): CONFIGURE,
    ("configure", "file", "experiment"): CONFIGURE,
}


class TestCapture:
    def test_every_file_that_a_transition_read_is_kept_byte_for_byte(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        assert {key: data for key, data in used().items() if key[1] == "file"} == FILES
        assert ConfigBlob.objects.filter(pk__in=RunConfig.objects.values("blob")).count() == 0

    def test_nobody_waits_for_a_node(self, rig: Rig) -> None:
        rig.nodes.take_down("node-cobo0", Unreachable("node-cobo0: gone"))
        rig.make_ready()
        assert used()["configure", "file", "experiment"] is None

    def test_what_was_loaded_is_stored_with_the_step_and_split_later(self, rig: Rig) -> None:
        rig.make_ready()
        assert [key for key in used() if key[1] == "loaded"] == [("links", "loaded", config_store.ANSWER)]
        keep(rig)
        (links,) = (data for key, data in used().items() if key[1] == "loaded")
        assert links is not None
        assert links.startswith(b"<DataLinkSet>")
        assert b"CoBo[0]" in links

    def test_describing_anew_takes_everything_else_out_of_use(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        assert rig.do("go_idle").state == "done"
        assert rig.do("describe").state == "done"
        assert used() == {("describe", "file", "cobo0"): None}

    def test_configuring_again_leaves_what_was_described_and_prepared(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        changed = CONFIGURE.replace(b">512<", b">256<")
        put(rig, "configure-experiment.xcfg", changed)
        assert rig.do("breakup").state == "done"
        assert rig.do("configure").state == "done"
        keep(rig)
        assert used()["prepare", "file", "experiment"] == CONFIGURE
        assert used()["configure", "file", "experiment"] == changed

    def test_a_step_that_failed_changes_nothing(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        before = used()
        rig.do("breakup")
        rig.break_call("ecc-cobo0", Transition.CONFIGURE, NoAnswer("no answer"))
        assert rig.do("configure", ["ecc-cobo0"]).state == "failed"
        assert used() == before

    def test_an_answer_that_was_lost_is_said(self, rig: Rig) -> None:
        rig.do("describe")
        rig.do("prepare")
        rig.break_call("ecc-cobo0", Transition.CONFIGURE, NoAnswer("no answer"), takes_effect=True)
        assert rig.do("configure").state == "done"
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", source="loaded")
        assert "lost" in row.problem
        keep(rig)
        assert "lost" in UsedConfig.objects.get(pk=row.pk).problem

    def test_a_file_with_the_other_ending_is_found(self, rig: Rig) -> None:
        remove(rig, "configure-experiment.xcfg")
        put(rig, "configure-experiment.xml", CONFIGURE)
        rig.make_ready()
        keep(rig)
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", source="file", kind="configure")
        assert row.path == f"{CONFIGS}/configure-experiment.xml"

    def test_why_a_file_is_not_kept_is_said_once_and_it_is_tried_again(self, rig: Rig) -> None:
        remove(rig, "hardwareDescription_full.xcfg")
        rig.make_ready()
        for _ in range(2):
            keep(rig)
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", kind="hardware")
        assert row.problem == f"there is no {CONFIGS}/hardwareDescription_full.xcfg on node-cobo0"
        assert sum("is not kept as it was" in text for text in events()) == 1
        put(rig, "hardwareDescription_full.xcfg", HARDWARE)
        keep(rig)
        row.refresh_from_db()
        assert (row.blob_id is not None, row.problem) == (True, "")

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "x" * 500])
    def test_a_describe_file_names_no_path(self, rig: Rig, name: str) -> None:
        put(rig, "describe-cobo0.xcfg", DESCRIBE.replace(b">full<", f">{name}<".encode()))
        rig.make_ready()
        keep(rig)
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", kind="hardware")
        assert row.blob_id is None
        assert "allowed: 1 to 200 characters" in row.problem or "there is no" in row.problem

    @pytest.mark.parametrize("data", [b"\xff\x00", b"<!DOCTYPE x><Setup/>", b"<Setup" * 10, b"x" * 4_000_001])
    def test_what_is_no_describe_file_is_kept_or_refused_in_words(self, rig: Rig, data: bytes) -> None:
        put(rig, "describe-cobo0.xcfg", data)
        rig.make_ready()
        keep(rig)
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", kind="describe")
        assert row.blob_id is not None or "at most 4000000 are kept" in row.problem
        assert not UsedConfig.objects.filter(ecc_server__name="ecc-cobo0", kind="hardware").exists()

    def test_a_node_with_an_agent_is_said(self, rig: Rig) -> None:
        Node.objects.filter(name="node-cobo0").update(access="agent")
        rig.make_ready()
        keep(rig)
        rows = UsedConfig.objects.filter(ecc_server__name="ecc-cobo0", source="file")
        assert {row.problem for row in rows} == {"node-cobo0 is reached through its HTTP agent, which reads no files"}

    def test_what_was_read_for_an_older_transition_is_dropped(self, rig: Rig) -> None:
        rig.make_ready()
        (row,) = UsedConfig.objects.filter(ecc_server__name="ecc-cobo0", kind="describe")
        rig.do("go_idle")
        rig.do("describe")
        assert not config_store.found(row, "/old", b"old", 0.0, ["old"], rig.time.now())
        assert used() == {("describe", "file", "cobo0"): None}


class TestAnswer:
    def test_the_real_answer_is_split(self) -> None:
        for capture, kinds in (("05-Configure", 5), ("80-mutant-Configure", 5), ("85-twocobos-Configure", 6)):
            answer = response(capture)
            assert answer is not None
            parts = parts_of(decode_text_reply(200, answer.body).text)
            assert len(parts) == kinds
            assert parts[0].data.endswith(b"</DataLinkSet>")

    def test_a_text_that_is_said_twice_is_one(self, rig: Rig) -> None:
        answer = response("85-twocobos-Configure")
        assert answer is not None
        rig.make_ready()
        row = UsedConfig.objects.get(ecc_server__name="ecc-cobo0", source="loaded")
        config_store.split(row, parts_of(decode_text_reply(200, answer.body).text))
        loaded = sorted(key for key in used() if key[1] == "loaded")
        assert [key[0] for key in loaded] == ["configure", "describe", "hardware", "links", "prepare"]

    @pytest.mark.parametrize("text", ["<a>", "<DataLinkSet/><x/>", "<!DOCTYPE x><DataLinkSet/>", "nothing", "\x00"])
    def test_what_cannot_be_told_apart_stays_whole(self, rig: Rig, text: str) -> None:
        with pytest.raises(ProtocolError):
            parts_of(text)
        rig.make_ready()
        (server,) = [server for server in rig.detector.ecc_servers if server.name == "ecc-cobo0"]
        done = config_store.Loaded(server.pk, Transition.CONFIGURE, "experiment", text)
        config_store.note_loaded([done], rig.time.now())
        keep(rig)
        row = UsedConfig.objects.select_related("blob").get(ecc_server=server, source="loaded")
        assert row.blob is not None
        assert bytes(row.blob.data) == text.encode()
        assert row.problem.startswith("What it loaded cannot be told apart: ")


class TestRun:
    def test_a_run_has_them_when_it_runs(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        assert rig.do("start").state == "done"
        run = Run.objects.get()
        assert kept(run) == used()
        assert set(run.configs.values_list("server", flat=True)) == {"ecc-cobo0", "ecc-cobo1", "ecc-mutant"}

    def test_what_is_read_later_is_added_and_nothing_is_twice(self, rig: Rig) -> None:
        rig.make_ready()
        assert rig.do("start").state == "done"
        run = Run.objects.get()
        assert kept(run)["configure", "file", "experiment"] is None
        for _ in range(2):
            keep(rig)
        assert kept(run) == used()
        assert ("links", "loaded", config_store.ANSWER) not in kept(run)

    def test_they_are_completed_when_the_run_is_closed(self, rig: Rig) -> None:
        rig.make_ready()
        assert rig.do("start").state == "done"
        run = Run.objects.get()
        Run.objects.filter(pk=run.pk).update(state="closed")  # nobody is asked for an open run
        keep(rig)
        Run.objects.filter(pk=run.pk).update(state="running")
        assert kept(run)["configure", "file", "experiment"] is None
        assert rig.do("stop").state == "done"
        assert kept(run) == used()

    def test_what_comes_after_a_run_does_not_change_it(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        rig.do("start")
        rig.do("stop")
        run = rig.close(Run.objects.get())
        put(rig, "configure-experiment.xcfg", b"<other/>")
        rig.do("breakup")
        rig.do("configure")
        keep(rig)
        assert kept(run)["configure", "file", "experiment"] == CONFIGURE

    def test_a_board_loaded_again_while_the_run_is_open_is_said(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        rig.do("start")
        put(rig, "configure-experiment.xcfg", b"<other/>")
        done = config_store.Loaded(rig.detector.ecc_servers[0].pk, Transition.CONFIGURE, "experiment", "")
        config_store.note_loaded([done], rig.time.now())
        keep(rig)
        row = RunConfig.objects.get(server="ecc-cobo0", kind="configure", source="file")
        assert kept(Run.objects.get())["configure", "file", "experiment"] == CONFIGURE
        assert "Loaded again while the run was open" in row.problem

    def test_an_adopted_run_has_them_too(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        for name in rig.ecc.servers:
            rig.ecc.servers[name].state = type(rig.ecc.servers[name].state).RUNNING
        rig.look()
        assert kept(adopt(SHIFTER, rig.time.now())) == used()

    def test_who_was_excluded_is_left_out(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        exclude("ecc-cobo1", "its HV trips", SHIFTER, rig.time.now())
        rig.do("start")
        assert "ecc-cobo1" not in set(Run.objects.get().configs.values_list("server", flat=True))


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
        other = [pair for pair in found if not pair.is_alike]
        assert {pair.kind for pair in other} >= {"configure", "prepare"}
        pair = next(pair for pair in other if pair.kind == "configure" and pair.servers == ("ecc-cobo0",))
        assert {(d.group, d.parameter, d.old, d.new) for d in pair.compared.differences} == {
            ("CoBo[*]", "Module/readoutDepth", "512", "256")
        }
        now = configurations.pairs(configurations.side("e20009/2"), configurations.side("now"))
        assert all(pair.is_alike for pair in now if "ecc-cobo0" in pair.servers)

    @pytest.mark.parametrize("key", ["", "e1", "e1/x", "e1/1/else", "e1/1", "x\n/1", "e1/" + "9" * 30, "e1/²"])
    def test_what_is_nothing_is_said(self, rig: Rig, key: str) -> None:
        with pytest.raises(configurations.UnknownSideError, match=r"allowed|There is no run"):
            configurations.side(key)
