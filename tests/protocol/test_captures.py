"""Every recorded exchange with a real ECC server, read and written again."""

import pytest

from get_protocol import ecc_messages as ecc
from get_protocol.config_set import encode_config_id_set, parse_config_id, parse_config_id_set
from get_protocol.data_links import (
    encode_configure_text,
    encode_data_sender_set,
    parse_configure_text,
    parse_data_link_set,
    parse_data_sender_set,
)
from get_protocol.ecc_messages import Operation, Request
from get_protocol.errors import LocalProtocolError, NoReply, RemoteProtocolError, ServerAborts, SoapFault
from get_protocol.state_machine import State, Transition
from tests.protocol.recorded import CAPTURES, all_captures, request, response

ALL = all_captures()
FAULTS = {"40-empty-body", "40-empty-soap-body", "40-ns-none", "40-ns-wrong-prefix", "40-unknown-op"}
NO_REPLY = {"40-not-xml": 0.0, "40-truncated-xml": 60.0}
ABORTS = {"51-Describe-empty-text", "51-Describe-unknown-subtype"}
WRITTEN_OTHERWISE = {name for name in ALL if name[:3] in {"40-", "50-", "51-"}}
NOT_FOR_US = {"53-Configure-bad-type", "53-Configure-two-links-same-sender"} | {n for n in ALL if "Resume" in n}
READABLE = [name for name in ALL if name not in FAULTS | NO_REPLY.keys()]
ANSWERED = [name for name in ALL if response(name) is not None]


def operation_in(capture: str) -> Operation:
    """The operation that a capture's name tells: the first one named in it."""
    if "ns-default" in capture:
        return Operation.GET_STATE
    return next(Operation(word) for word in capture.split("-") if word in set(Operation))


def encode(asked: Request) -> bytes:
    """What the product would send for a request that a server has read."""
    if asked.operation is Operation.GET_STATE:
        return ecc.encode_get_state()
    if asked.operation is Operation.GET_CONFIG_IDS:
        return ecc.encode_get_config_ids()
    if asked.operation is Operation.SERVER_EXIT:
        return ecc.encode_server_exit()
    if asked.operation is Operation.SPECIAL:
        return ecc.encode_special(asked.command, asked.table)
    links = parse_data_link_set(asked.table) if asked.table else ()
    return ecc.encode_transition(ecc.TRANSITION_OF[asked.operation], parse_config_id(asked.config_id), links)


def test_every_recorded_file_belongs_to_an_exchange_tested_here() -> None:
    names = {path.name.removesuffix(".gz") for path in CAPTURES.iterdir()}
    assert names == {f"{name}.{kind}.xml" for name in ALL for kind in ("request", "response")}
    assert len(ALL) == 95


@pytest.mark.parametrize("capture", ALL)
def test_request_headers_are_ours(capture: str) -> None:
    sent = request(capture)
    host, _, port = sent.headers["Host"].partition(":")
    assert ecc.http_request(host, int(port), sent.body) == sent.raw


@pytest.mark.parametrize("capture", READABLE)
def test_request_is_read_as_the_server_read_it(capture: str) -> None:
    asked = ecc.decode_request(request(capture).body)
    assert asked.operation is operation_in(capture)
    assert not asked.soap12


@pytest.mark.parametrize("capture", sorted(set(ALL) - WRITTEN_OTHERWISE - NOT_FOR_US))
def test_request_is_written_byte_for_byte(capture: str) -> None:
    sent = request(capture)
    assert encode(ecc.decode_request(sent.body)) == sent.body


@pytest.mark.parametrize("capture", sorted(NOT_FOR_US))
def test_request_that_does_harm_is_not_written(capture: str) -> None:
    with pytest.raises((LocalProtocolError, RemoteProtocolError)):
        encode(ecc.decode_request(request(capture).body))


@pytest.mark.parametrize("capture", sorted(FAULTS))
def test_fault_is_answered_byte_for_byte(capture: str) -> None:
    expected = response(capture)
    assert expected is not None
    with pytest.raises(SoapFault) as caught:
        ecc.decode_request(request(capture).body)
    assert ecc.http_response(500, ecc.encode_fault(caught.value)) == expected.raw
    with pytest.raises(SoapFault) as read_back:
        ecc.decode_state_reply(expected.status, expected.body)
    assert (read_back.value.code, read_back.value.string) == (caught.value.code, caught.value.string)


@pytest.mark.parametrize("capture", sorted(NO_REPLY))
def test_what_is_no_request_gets_no_reply(capture: str) -> None:
    assert response(capture) is None
    with pytest.raises(NoReply) as caught:
        ecc.decode_request(request(capture).body)
    assert caught.value.held_s == NO_REPLY[capture]


@pytest.mark.parametrize("capture", sorted(ABORTS))
def test_what_ended_the_server_is_recognised(capture: str) -> None:
    assert response(capture) is None
    with pytest.raises(ServerAborts):
        ecc.read_config_id(ecc.decode_request(request(capture).body).config_id)


@pytest.mark.parametrize("capture", sorted(set(ANSWERED) - FAULTS))
def test_answer_is_read_and_written_byte_for_byte(capture: str) -> None:
    answer = response(capture)
    assert answer is not None
    assert answer.status == 200
    operation = operation_in(capture)
    if operation is Operation.GET_STATE:
        body = ecc.encode_state_reply(ecc.decode_state_reply(200, answer.body))
    elif operation is Operation.SERVER_EXIT:
        body = ecc.encode_exit_reply(ecc.decode_exit_reply(200, answer.body))
    else:
        body = ecc.encode_text_reply(ecc.decode_text_reply(200, answer.body))
    assert ecc.http_response(200, body) == answer.raw


@pytest.mark.parametrize(
    ("capture", "state", "transition", "message"),
    [
        ("01-GetState-idle", State.IDLE, Transition.NONE, ""),
        ("03b-GetState-after-Describe", State.DESCRIBED, Transition.NONE, ""),
        ("04b-GetState-after-Prepare", State.PREPARED, Transition.NONE, ""),
        ("05b-GetState-after-Configure", State.READY, Transition.NONE, ""),
        ("06b-GetState-after-Start", State.RUNNING, Transition.NONE, ""),
        ("09b-GetState-after-Stop", State.READY, Transition.NONE, ""),
        ("10b-GetState-after-Breakup", State.PREPARED, Transition.NONE, ""),
        ("11b-GetState-after-Undo", State.DESCRIBED, Transition.NONE, ""),
        ("12b-GetState-after-Undo", State.IDLE, Transition.NONE, ""),
        ("30-GetState-during-Prepare", State.DESCRIBED, Transition.PREPARE, "The ECC state machine is busy!"),
        ("31-GetState-during-Configure", State.PREPARED, Transition.CONFIGURE, "The ECC state machine is busy!"),
    ],
)
def test_state(capture: str, state: State, transition: Transition, message: str) -> None:
    answer = response(capture)
    assert answer is not None
    reply = ecc.decode_state_reply(answer.status, answer.body)
    assert reply == ecc.StateReply(0, message, state, transition)
    assert reply.busy == (transition is not Transition.NONE)


@pytest.mark.parametrize("capture", [name for name in ANSWERED if name[:2] in {"53", "60", "61", "62"}])
def test_error_code_is_the_transition_asked_for(capture: str) -> None:
    answer = response(capture)
    assert answer is not None
    reply = ecc.decode_text_reply(answer.status, answer.body)
    silent = {"61-Stop-hw-dead", "61-Describe-from-state0", "53-Configure-two-links-same-sender"}
    assert reply.error_code == (0 if capture in silent else ecc.TRANSITION_OF[operation_in(capture)])
    assert bool(reply.error_message) == (capture not in silent)


@pytest.mark.parametrize("capture", [name for name in ANSWERED if name.startswith("50-Describe-")])
def test_invalid_config_set_is_quoted_as_the_server_quotes_it(capture: str) -> None:
    answer = response(capture)
    assert answer is not None
    reply = ecc.decode_text_reply(answer.status, answer.body)
    found = ecc.read_config_id(ecc.decode_request(request(capture).body).config_id)
    if capture in {"50-Describe-child-prefixed", "50-Describe-empty-configID"}:
        assert found.describe is None
        assert (reply.error_code, reply.error_message) == (1, found.invalid_message())
    else:
        assert found.describe == ("nosuch" if "unknown" in capture else "cobo0")
        assert (found.prepare, found.configure) == ("experiment", "experiment")


@pytest.mark.parametrize("capture", [name for name in ANSWERED if "Describe" in name and "GetState" not in name])
def test_data_senders(capture: str) -> None:
    answer = response(capture)
    assert answer is not None
    text = ecc.decode_text_reply(answer.status, answer.body).text
    if text:
        senders = parse_data_sender_set(text)
        assert encode_data_sender_set(senders) == text
        expected = {"80": ("Mutant[master]",), "85": ("CoBo[0]", "CoBo[1]")}
        assert senders == expected.get(capture[:2], ("CoBo[0]",)) or capture.startswith("61")


def test_config_sets() -> None:
    answer = response("02-GetConfigIDs")
    assert answer is not None
    text = ecc.decode_text_reply(answer.status, answer.body).text
    config_ids = parse_config_id_set(text)
    assert encode_config_id_set(config_ids) == text
    names = ("broken", "experiment", "exttime", "fullreadout")
    assert [(c.describe, c.prepare, c.configure) for c in config_ids] == [
        (board, name, name) for board in ("cobo0", "cobo1") for name in names
    ]
    assert list(config_ids) == sorted(config_ids)


@pytest.mark.parametrize(
    ("capture", "senders", "files"),
    [
        ("05-Configure", ["CoBo[0]"], 4),
        ("53-Configure-two-links-same-sender", ["CoBo[0]"], 4),
        ("80-mutant-Configure", ["Mutant[master]"], 4),
        ("85-twocobos-Configure", ["CoBo[0]", "CoBo[1]"], 5),
        ("20-illegal-Configure-from-idle", [], 0),
        ("53-Configure-no-links", [], 0),
    ],
)
def test_configure_answer(capture: str, senders: list[str], files: int) -> None:
    answer = response(capture)
    assert answer is not None
    text = ecc.decode_text_reply(answer.status, answer.body).text
    configured = parse_configure_text(text)
    assert [link.sender for link in configured.links] == senders
    assert [file.kind for file in configured.files] == (["describe", "prepare", "configure"] + 2 * ["hardware"])[:files]
    assert all(file.filename.endswith(f"-{file.name}.xcfg") or file.kind == "hardware" for file in configured.files)
    assert all(file.content.endswith(("</Setup>", "</Node>")) for file in configured.files)
    assert all(file.content.startswith(("<Setup id=", "<Node id=")) for file in configured.files)
    assert encode_configure_text(configured) == text or not text


def test_of_two_links_for_one_sender_the_server_keeps_the_first() -> None:
    asked = ecc.decode_request(request("53-Configure-two-links-same-sender").body)
    answer = response("53-Configure-two-links-same-sender")
    assert answer is not None
    kept = parse_configure_text(ecc.decode_text_reply(answer.status, answer.body).text).links
    read = ecc.read_data_links(asked.table)
    assert [(link.sender, link.port) for link in kept] == [(link.sender, link.port) for link in read.values()]


def test_unusable_links_are_read_as_the_server_reads_them() -> None:
    tables = {name: ecc.decode_request(request(f"53-Configure-{name}").body).table for name in ("bad-type", "no-links")}
    assert ecc.read_data_links(tables["bad-type"])["CoBo[0]"].type == "FOO"
    assert ecc.read_data_links(tables["no-links"]) == {}
