"""Every trouble in plain words: each class of the hardware facts is recognised, the real programs' words too."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.runcontrol.asking import restarts
from attpcdaq.runcontrol.seeing.views import TroubleView
from attpcdaq.runcontrol.troubles.troubles import ALL, trouble, trouble_of
from get_protocol.ecc_messages import decode_state_reply, decode_text_reply
from get_protocol.errors import SoapFault
from tests.protocol.recorded import CAPTURES, response

MANUAL = (Path(__file__).parents[2] / "docs" / "troubles.md").read_text(encoding="utf-8")


def key(found: TroubleView | None) -> str:
    return found.key if found else ""


RECORDED = {
    "30-Prepare-while-busy-Prepare": "server-busy",
    "31-Undo-while-busy-Configure": "server-busy",
    "50-Describe-empty-configID": "config-invalid",
    "50-Describe-child-prefixed": "config-invalid",
    "50-Describe-unknown-describe-name": "config-missing",
    "20-illegal-Configure-from-idle": "config-missing",
    "62-Describe-hw-down": "board-off",
    "61-Breakup-hw-dead": "board-died",
    "60-Breakup-hw-fails": "breakup-failed",
    "60-Start-hw-fails": "board-refused",
    "60-Configure-hw-fails": "link-failed",
    "53-Configure-no-links": "no-data-link",
    "53-Configure-wrong-sender": "no-data-link",
    "85-twocobos-Configure-one-link-missing": "no-data-link",
    "53-Configure-router-down-TCP": "router-refused",
    "53-Configure-bad-type": "link-type",
    "13-Special-unknown": "special-command",
    "13-Special-empty": "special-command",
    "40-empty-body": "soap-fault",
    "40-empty-soap-body": "soap-fault",
    "40-ns-none": "soap-fault",
    "40-ns-wrong-prefix": "soap-fault",
    "40-unknown-op": "soap-fault",
}


def words_of(capture: str) -> str:
    """What the real ECC server said."""
    answer = response(capture)
    try:
        return decode_text_reply(answer.status, answer.body).error_message
    except SoapFault as fault:
        return f"SOAP fault: {fault.string}"


@pytest.mark.parametrize(("capture", "expected"), RECORDED.items())
def test_what_the_real_server_said_is_recognised(capture: str, expected: str) -> None:
    assert words_of(capture)
    assert key(trouble_of(words_of(capture), part="ecc")) == expected
    assert key(trouble_of(f"ecc-cobo0: Prepare failed: {words_of(capture)}")) == expected


def test_every_error_that_was_recorded_has_a_class_of_its_own() -> None:
    unnamed = []
    for path in sorted(CAPTURES.glob("*.response.xml*")):
        capture = path.name.split(".response.xml")[0]
        body = response(capture).body if path.stat().st_size else b""
        if b"<ErrorCode>" not in body or b"<ErrorCode>0<" in body or b"ResponseState" in body:
            continue
        if key(trouble_of(words_of(capture), part="ecc")) in ("", "refused"):
            unnamed.append(capture)
    assert unnamed == []


def test_a_busy_server_is_no_error_of_its_own() -> None:
    reply = decode_state_reply(200, response("30-GetState-during-Prepare").body)
    assert reply.error_code == 0
    assert key(trouble_of(reply.error_message, part="ecc")) == "server-busy"


# Facts without a capture, by their section, in the words that are said there; and the words of our own code.
SAID = [
    (
        "1.4",
        "ecc",
        'Exception: Error loading the document located at: "a.xcfg".\nThe text stream is not valid XML.',
        "config-broken",
    ),
    (
        "1.4",
        "ecc",
        "Ice exception: src/Ice/Network.cpp:1: ::Ice::SocketException:\nsocket exception: Address already in use",
        "alarm-port",
    ),
    ("6", "ecc", "Could not create alarm logger: Ice::SocketException", "alarm-port"),
    ("1.4", "ecc", "CoBo[0]: AsAd board no. 0 is not connected to CoBo! | ", "asad-missing"),
    ("1.4", "ecc", "CoBo[0]: Could not establish data link. TCP connection to 1.2.3.4:46005 refused", "router-refused"),
    ("1.4", "ecc", "CoBo[1]: Could not start run (Ice::ConnectionRefusedException) | ", "start-board-dead"),
    ("1.1", "ecc", "ecc-x (1.2.3.4:8083) answered what an ECC server does not: error 3", "bad-reply"),
    ("1.1", "ecc", "ecc-x (1.2.3.4:8083): its answer is not HTTP: it begins with b'SSH-2.0'", "bad-reply"),
    ("1.1", "ecc", "ecc-x (1.2.3.4:8083): its answer ended after 3 of 9 bytes", "bad-reply"),
    ("1.5", "ecc", "ecc-x (1.2.3.4:8083): it closed the connection without an answer", "vanished"),
    ("1.5", "ecc", "ecc-x (1.2.3.4:8083): it broke off the connection without an answer", "vanished"),
    ("2.4", "ecc", "CoBo[1]: the board was restarted and does not know this ECC server | ", "board-restarted"),
    ("2.2", "ecc", "It answered success, but did nothing. It is Idle, not Described.", "did-nothing"),
    ("2.3", "ecc", "The ECC server is still busy with Configure after 120 s.", "still-busy"),
    ("2.4", "", "ecc-cobo0: it is wedged (state 0). Restart its ECC process, then Describe again.", "wedged"),
    ("2.4", "", "ecc-cobo0: it is Paused. Stop or Breakup leads out of it.", "paused"),
    ("2.4", "", "Running although no run is open: ecc-cobo0. Press Stop.", "loose"),
    ("2.4", "", "Files grow although no run is open and the ECC server does not say Running: ecc-cobo0.", "loose"),
    ("2.4", "", "router-cobo0: its files in /staging still grow: nothing was moved.", "still-growing"),
    ("2.4", "", "Run 7 was not seen stopped (see the last command). Press Stop again.", "not-stopped"),
    ("3", "", "ecc-cobo0: no configuration is chosen for it (Setup page).", "no-config"),
    (
        "3",
        "",
        "ecc-cobo0: Prepare was done with experiment, but fullreadout is chosen. Go to Ready sets it up again.",
        "other-config",
    ),
    (
        "4",
        "",
        "router-cobo0: it was restarted and is deaf until ecc-cobo0 goes through Breakup and Configure.",
        "router-deaf",
    ),
    (
        "4",
        "",
        "router-cobo0: its port is taken by another process: it is deaf; restart it.",
        "port-taken",
    ),
    ("4", "router", "runs, but does not hear: its port is taken by another process", "port-taken"),
    ("4", "", "router-cobo0: 1.20 GB are free on node-cobo0, and no run starts with less than 2.00 GB.", "disk-full"),
    ("4", "", "router-cobo0: 30.0 GB are free on node-cobo0, the disk is full in 12 min.", "disk-filling"),
    ("4", "router", "node-cobo0: its clock is 0.3 s ahead", "clock-off"),
    ("4", "router", "was restarted: its board must go through Breakup and Configure", "router-deaf"),
    ("4", "", "router-cobo0: the data router is not running, so no data of ecc-cobo0 are written.", "router-off"),
    ("4", "", "router-cobo0: no data for 12 s (ecc-cobo0).", "no-data"),
    ("4", "", "router-cobo0: its staging directory is not clean (3 GRAW files).", "not-clean"),
    (
        "4",
        "",
        "router-cobo0: frames came after the files were moved; CoBo0_AsAd0_2026-11-22T09:48:24.458_0000_late1.graw.",
        "late-frames",
    ),
    ("4", "router", "node-x: /staging/a/b.graw exists already; nothing was moved", "file-exists"),
    ("4", "router", "write: No space left on device", "disk-full"),
    ("6", "ecc", "ecc-x (1.2.3.4:8083): connection refused: nothing listens there", "nothing-listens"),
    ("6", "ecc", "ecc-x (1.2.3.4:8083): no answer within 2 s", "no-answer"),
    ("6", "ecc", "ecc-x (1.2.3.4:8083): no connection within 2 s", "no-connection"),
    ("6", "ecc", "ecc-x (mm3:8083): the host name 'mm3' is unknown (Name or service not known)", "host-unknown"),
    ("ssh", "router", "node-x (1.2.3.4:22): connection refused: nothing listens there", "node-off"),
    (
        "8",
        "router",
        "mm0 (1.2.3.4:8080): its data router is not online, or its agent has a problem: no",
        "agent-problem",
    ),
    ("8", "router", "mm0 (1.2.3.4:8080): its agent answered HTTP 404: not found", "agent-problem"),
    ("8", "router", "mm0: its agent watches /a, and the setup says /b: correct the", "agent-elsewhere"),
    ("8", "", "a file is still in /a, and its agent cannot tell whose: move them away by hand", "agent-left-files"),
    ("8", "", "node mm0 is reached through its HTTP agent, which cannot run commands", "agent-beyond"),
    ("ssh", "router", "node-x (1.2.3.4:22): no connection within 5 s", "node-off"),
    ("ssh", "router", "node-x (1.2.3.4:22): the connection was lost (Connection lost)", "node-lost"),
    ("ssh", "router", "node-x (1.2.3.4:22): its host key is not known. It shows SHA256:a (ssh-ed25519)", "host-key"),
    ("ssh", "router", "node-x (1.2.3.4:22): ITS HOST KEY HAS CHANGED: it shows SHA256:a", "host-key-changed"),
    ("ssh", "router", "node-x (1.2.3.4:22): it does not let 'attpc' in with the key /run/key", "ssh-key"),
    ("ssh", "router", "node-x (1.2.3.4:22): ATTPCDAQ_SSH_KEY is not set; set it to the path", "ssh-key"),
    ("ssh", "router", "node-x (1.2.3.4:22): our private key /k cannot be read: No such file or directory", "ssh-key"),
    ("ssh", "router", "node-x (1.2.3.4:22): it offers no SFTP (x)", "no-sftp"),
    ("ssh", "router", "node-x (1.2.3.4:22): 'ps -A -ww -o pid= -o args=' told of no process", "no-processes"),
    ("ssh", "router", "node-x (1.2.3.4:22): there is no directory /staging", "no-directory"),
    ("ssh", "router", "node-x: there is no /staging/a.graw; nothing was done", "file-missing"),
    ("ssh", "router", "'a/../b' is not a plain file name; nothing was done", "bad-name"),
    ("own", "", "ecc-cobo0: its state is unknown.", "unknown"),
    (
        "own",
        "",
        "ecc-cobo0: its state is unknown. ecc-cobo0 (1.2.3.4:8083): connection refused: nothing listens there",
        "nothing-listens",
    ),
    ("own", "", "The monitor is not running, so the state of the hardware is not known.", "monitor-away"),
    ("own", "", "Nobody moves the files of run 7. Is the Celery worker (queue files) running?", "nobody-moves"),
    ("own", "", "No worker took it in time, so nothing was sent. Is the Celery worker running?", "expired"),
    ("own", "", "The worker that carried it out is gone; the state shown is what the hardware says.", "worker-gone"),
    ("own", "", "Run 7 is starting, but nobody is at work on it any more. Press Stop.", "forsaken"),
    ("own", "", "ecc-cobo0: it is Idle, not Running.", "not-running"),
    ("own", "", "A Stop came first. Nothing was sent.", "superseded"),
    ("own", "", "A Stop took over; its outcome is unknown.", "superseded"),
    ("own", "", "An earlier step failed. Nothing was sent.", "earlier-failed"),
    ("own", "", "Another call to this ECC server is still outstanding. Nothing was sent.", "outstanding"),
    ("own", "", "The call was answered The outcome is unknown: no more", "outcome-unknown"),
    ("own", "", "ecc-cobo0: it is excluded (board is in repair): include it again first.", "excluded"),
    ("own", "", "Excluded: cobo3 (no power)", "excluded"),
    ("own", "", "Excluded: cobo3 (wedged, board died), but its files grow", "excluded"),
    ("own", "", "ecc-cobo0: it is excluded (still busy with Prepare): include it again first.", "excluded"),
    ("own", "", "Mixed states", "mixed"),
    ("own", "", "It is Idle, and Prepare needs Described. Nothing was sent.", "wrong-state"),
    ("own", "", "ecc-cobo0: it is Ready: Breakup comes before Undo.", "wrong-state"),
    ("own", "", "The plan changed meanwhile: look again.", "plan-changed"),
    ("own", "", "kim is in charge since 04:12: ask for control, or take it with a reason.", "in-charge"),
    ("own", "", "The ECC server ecc-cobo0 is not set up any more.", "not-set-up"),
    ("own", "", "ecc-cobo0: Prepare is under way.", "under-way"),
    ("own", "", "Stray files are being set aside.", "under-way"),
    ("own", "", "Run 7 is still closing.", "run-open"),
    ("own", "", "Run 7 is open. Go to Idle stops it first.", "run-open"),
    ("own", "", "No run is running: Start for the whole system begins one.", "no-run"),
    ("own", "", "Nothing to do: every server is Ready.", "nothing-to-do"),
    ("own", "", "No ECC server is set up: begin with Easy setup.", "no-hardware"),
    ("own", "", "Its Start ended half-way: ecc-cobo0 were found Running, so the DAQ itself stops them.", "reconciled"),
    ("2.4", "", "Not seen whether files still grow: router-cobo0: node-x: connection refused", "files-unseen"),
    ("4", "", "router-cobo0: no data since the clock was set back (ecc-cobo0).", "no-data"),
    ("own", "", "No experiment is active: create or choose one first.", "no-experiment"),
    ("own", "", "It broke off: OperationalError('gone'). The state shown is what the hardware says.", "database-away"),
    ("own", "", "It broke off: RuntimeError('boom'). The state shown is what the hardware says.", "internal-error"),
    ("own", "", "No command to restart ecc-cobo0 is set up: give its node a restart_ecc.", "no-restart-command"),
    ("own", "", "'systemctl restart x' on node-x ended with status 5: Unit not found.", "restart-failed"),
    ("own", "", "ecc-cobo0 did not come back within 60 s: connection refused: nothing listens there", "restart-failed"),
    ("own", "", "What 'systemctl restart x' did is not known: no answer within 30 s.", "restart-unknown"),
    ("own", "", restarts.GONE, "restart-unknown"),
]


@pytest.mark.parametrize(("section", "part", "text", "expected"), SAID, ids=[f"{s}-{k}" for s, _, _, k in SAID])
def test_what_is_said_is_recognised(section: str, part: str, text: str, expected: str) -> None:
    assert key(trouble_of(text, part=part)) == expected


def test_what_needs_no_words() -> None:
    assert key(trouble_of(state="wedged")) == "wedged"
    assert key(trouble_of("Unknown error!", state="wedged")) == "wedged"
    assert key(trouble_of(state="paused")) == "paused"
    assert key(trouble_of(state="unknown")) == "unknown"
    assert key(trouble_of("x: connection refused: nothing listens there", state="unknown")) == "nothing-listens"
    assert key(trouble_of("no answer within 2 s", state="prepared", still_busy="Configure since 04:12")) == "still-busy"
    assert key(trouble_of(part="router", deaf=True)) == "router-deaf"
    assert key(trouble_of(part="router", deaf=True, online=False)) == "router-off"
    assert key(trouble_of(part="router", online=True, disk_low=True)) == "disk-full"
    assert key(trouble_of(part="router", online=True, hears=False, deaf=True)) == "port-taken"
    assert key(trouble_of("something new", part="ecc")) == "refused"
    assert key(trouble_of("something new", part="router")) == "node-refused"
    assert trouble_of("something new") is None
    assert trouble_of(part="router", online=True, hears=True) is None
    assert trouble_of(part="router", online=True, hears=None) is None
    assert trouble_of("", part="ecc", state="ready") is None


def test_every_class_is_recognised_by_something() -> None:
    tried = {*RECORDED.values(), *(expected for _, _, _, expected in SAID), "refused", "node-refused", "router-deaf"}
    assert {one.key for one in ALL} - tried == set()
    assert len({one.key for one in ALL}) == len(ALL)


ACTS = re.compile(
    r"""\b(?: adds? | adopt | ask | choose | compares | corrects? | exclude | gives? | have | is\ it | look | makes?
    | mends? | open | press(?:es)? | put | read | restarts? | say | starts? | stop | switch(?:es)? | try | wait )\b""",
    re.IGNORECASE | re.VERBOSE,
)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
class TestTexts:
    def test_it_says_what_it_means_and_what_to_do(self, one) -> None:
        assert 4 < len(one.title) < 60
        assert len(one.meaning) > 40
        assert ACTS.search(one.todo), one.todo
        assert "facts" not in one.meaning + one.todo

    def test_the_manual_has_a_section_that_says_the_same(self, one) -> None:
        sections = [part for part in re.split(r"^## ", MANUAL, flags=re.MULTILINE) if part.startswith(f"{one.title}\n")]
        assert len(sections) == 1
        words = " ".join(sections[0].split())
        assert one.meaning in words
        assert one.todo in words

    def test_a_word_that_it_names_is_a_section(self, one) -> None:
        for named in re.findall(r"“(.+?)”", one.todo):
            assert f"## {named}\n" in MANUAL

    def test_the_view_leads_to_the_section(self, one) -> None:
        view = trouble(one.key)
        assert (view.title, view.anchor) == (one.title, one.anchor)
        assert re.fullmatch(r"[a-z0-9-]+", view.anchor)


@given(st.text(max_size=300), st.sampled_from(["", "ecc", "router"]))
def test_any_text_has_words_or_none(text: str, part: str) -> None:
    found = trouble_of(text, part=part)
    assert (found is not None) or part == "" or not text.strip()
