"""Configurations as they were: captured at each transition and kept with the run."""

import pytest

from attpcdaq.gateways.errors import NoAnswer, Unreachable
from attpcdaq.live import config_store
from attpcdaq.live.models import UsedConfig
from attpcdaq.runcontrol.asking.adopt import adopt
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.proving.configs_kept import NO_DIRECTORY, parts_of
from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.testing.builders import CONFIGS
from attpcdaq.topology.models import ConfigBlob, ECCServer, Node
from get_protocol.ecc_client import decode_text_reply
from get_protocol.errors import ProtocolError
from get_protocol.state_machine import Transition
from tests.protocol.recorded import response
from tests.runcontrol.configs import CONFIGURE, DESCRIBE, HARDWARE, events, keep, kept, put, remove, used, with_files
from tests.runcontrol.rig import SHIFTER, Rig

FILES = {
    ("describe", "file", "cobo0"): DESCRIBE,
    ("hardware", "file", "full"): HARDWARE,
    ("prepare", "file", "experiment"): CONFIGURE,
    ("configure", "file", "experiment"): CONFIGURE,
}


@pytest.fixture
def rig(rig: Rig) -> Rig:
    return with_files(rig)


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
        assert not any("is not kept" in text for text in events())

    def test_a_server_without_a_directory_is_said(self, rig: Rig) -> None:
        ECCServer.objects.filter(name="ecc-cobo0").update(config_dir="")
        rig.make_ready()
        keep(rig)
        rows = UsedConfig.objects.filter(ecc_server__name="ecc-cobo0", source="file")
        assert {row.problem for row in rows} == {NO_DIRECTORY}
        assert not any("is not kept" in text for text in events())
        assert [key[0] for key in used() if key[1] == "loaded"] == ["links"]

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

    def test_what_is_set_up_while_its_files_are_moved_is_the_next_runs(self, rig: Rig) -> None:
        rig.make_ready()
        keep(rig)
        rig.do("start")
        rig.do("stop")
        run = Run.objects.get()
        assert run.state == "closing"
        before = kept(run)
        put(rig, "configure-experiment.xcfg", b"<other/>")
        assert rig.do("breakup").state == "done"
        assert rig.do("configure").state == "done"
        keep(rig)
        assert used()["configure", "file", "experiment"] == b"<other/>"
        assert kept(run) == before
        assert not RunConfig.objects.exclude(problem="").filter(run=run, server="ecc-cobo0").exists()

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
