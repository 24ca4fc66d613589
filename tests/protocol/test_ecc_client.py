"""Requests the product may send, and answers it may get."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol import ecc_messages as ecc
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, LinkType
from get_protocol.errors import (
    FrameError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SoapFault,
    XmlRefused,
)
from get_protocol.state_machine import State, Transition

CONFIG = ConfigId("cobo0", "experiment", "experiment")
LINK = DataLink("CoBo[0]", "data0", "127.0.0.1", 46005, LinkType.TCP)
MESSAGES = st.text(st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" \t\r\n<>&|'\""), max_size=60)
DECODERS = (ecc.decode_state_reply, ecc.decode_text_reply, ecc.decode_exit_reply)


def envelope(inner: str) -> bytes:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{soap}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def state_answer(**changed: str | None) -> bytes:
    fields = {"ErrorCode": "0", "ErrorMessage": "", "State": "1", "Transition": "0"} | changed
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if text is not None)
    return envelope(f"<ResponseState>{inner}</ResponseState>")


@pytest.mark.parametrize("transition", [Transition.NONE, Transition.RESUME])
def test_what_must_not_be_sent(transition: Transition) -> None:
    with pytest.raises(LocalProtocolError, match=transition.name.capitalize() if transition else "no transition"):
        ecc.encode_transition(transition, CONFIG)


@pytest.mark.parametrize("transition", sorted(set(Transition) - {Transition.NONE, Transition.RESUME}))
def test_children_carry_no_prefix(transition: Transition) -> None:
    body = ecc.encode_transition(transition, CONFIG, [LINK])
    asked = ecc.decode_request(body)
    assert asked.operation is ecc.OPERATION_OF[transition]
    assert asked.config_id == CONFIG.to_xml()
    assert list(ecc.read_data_links(asked.table)) == ["CoBo[0]"]
    assert b"<configID>" in body
    assert b"<table>" in body


def test_two_links_for_one_sender_are_not_sent() -> None:
    with pytest.raises(LocalProtocolError, match="two data links"):
        ecc.encode_transition(Transition.CONFIGURE, CONFIG, [LINK, LINK])


@pytest.mark.parametrize("host", ["", "a b", "a\r\nX: y", "b\u00fccher"])
def test_host_cannot_smuggle_headers(host: str) -> None:
    with pytest.raises(LocalProtocolError, match="host is"):
        ecc.http_request(host, 8083, b"")


@given(MESSAGES, st.sampled_from(State), st.sampled_from(Transition), st.integers(-9, 9))
def test_state_reply_reads_back(message: str, state: State, transition: Transition, code: int) -> None:
    reply = ecc.StateReply(code, message, state, transition)
    assert ecc.decode_state_reply(200, ecc.encode_state_reply(reply)) == reply


@given(MESSAGES, MESSAGES, st.booleans())
def test_text_reply_reads_back(message: str, text: str, soap12: bool) -> None:
    reply = ecc.TextReply(3, message, text)
    assert ecc.decode_text_reply(200, ecc.encode_text_reply(reply, soap12=soap12)) == reply


@given(MESSAGES)
def test_fault_reads_back(text: str) -> None:
    body = ecc.encode_fault(SoapFault("SOAP-ENV:Client", text))
    for decode in DECODERS:
        with pytest.raises(SoapFault) as caught:
            decode(500, body)
        assert (caught.value.code, caught.value.string) == ("SOAP-ENV:Client", text)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"State": "7"}, "State is 7; allowed: 0 to 6"),
        ({"State": "-1"}, "State is -1"),
        ({"State": "idle"}, "State is 'idle'; allowed: a whole number"),
        ({"State": ""}, "State is ''"),
        ({"State": "1.0"}, "State is '1.0'"),
        ({"State": "\u0661"}, "State is '\u0661'"),
        ({"State": 5000 * "1"}, "State is '1111"),
        ({"State": None}, "needs exactly one <State>"),
        ({"State": "<x/>"}, "needs exactly one <State>"),
        ({"Transition": "10"}, "Transition is 10; allowed: 0 to 9"),
        ({"Transition": "x"}, "Transition is 'x'"),
        ({"ErrorCode": "0x1"}, "ErrorCode is '0x1'"),
        ({"ErrorMessage": None}, "needs exactly one <ErrorMessage>"),
    ],
)
def test_wrong_field_is_named(changed: dict[str, str | None], reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        ecc.decode_state_reply(200, state_answer(**changed))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"", "HTTP 200 with an empty body"),
        (502, b"<html>Bad gateway", "HTTP 502 without a SOAP answer"),
        (500, state_answer(), "HTTP 500 without a SOAP fault"),
        (200, envelope("<ResponseText/>"), "the answer is a <ResponseText>; expected <ResponseState>"),
        (200, envelope(""), "one <Body> with one element"),
        (200, envelope("<a/><b/>"), "one <Body> with one element"),
        (200, b"<a/>", "expected a SOAP <Envelope>"),
        (200, b"<Envelope/>", "one <Body> with one element"),
        (200, envelope("<ResponseState/>"), "needs exactly one <State>"),
    ],
)
def test_what_is_no_answer(status: int, body: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        ecc.decode_state_reply(status, body)
    assert reason in str(caught.value)


def test_dangerous_answer_is_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]>' + state_answer(ErrorMessage="&b;")
    with pytest.raises(XmlRefused, match="the SOAP answer has a DOCTYPE"):
        ecc.decode_state_reply(200, bomb)


@given(st.sampled_from(DECODERS), st.sampled_from([200, 404, 500]), st.binary() | MESSAGES.map(str.encode))
def test_anything_is_read_or_refused(decode: object, status: int, body: bytes) -> None:
    assert callable(decode)
    with pytest.raises(ProtocolError):
        decode(status, body)


@given(st.data())
def test_damaged_answer_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(ecc.encode_state_reply(ecc.StateReply(0, "busy", State.READY, Transition.START)))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        reply = ecc.decode_state_reply(200, bytes(body))
    except ProtocolError:
        return
    assert isinstance(reply, ecc.StateReply)


@pytest.mark.parametrize("error", [SoapFault("a", "b"), FrameError(3, "x"), XmlRefused("y")])
def test_errors_survive_pickling(error: ProtocolError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
