"""The client's half of the ECC server's SOAP interface (facts 1.2 to 1.5)."""

from collections.abc import Sequence

from lxml import etree

from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, encode_data_link_set
from get_protocol.ecc_types import OPERATION_OF, ExitReply, StateReply, TextReply
from get_protocol.errors import LocalProtocolError, RemoteProtocolError, SoapFault, XmlRefused
from get_protocol.state_machine import KILLS_SERVER, State, Transition
from get_protocol.untrusted_xml import children, escape, local_name, parse_untrusted

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:ecc="urn:ecc"><SOAP-ENV:Body>'
)
_CLOSE = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
_MAX_DIGITS = 10


def encode_get_state() -> bytes:
    """Body of a GetState request (capture 01)."""
    return _envelope("<ecc:GetState></ecc:GetState>")


def encode_get_config_ids() -> bytes:
    """Body of a GetConfigIDs request (capture 02)."""
    return _envelope("<ecc:GetConfigIDs></ecc:GetConfigIDs>")


def encode_server_exit() -> bytes:
    """Body of a ServerExit request, which ends the server's process (capture 70)."""
    return _envelope("<ecc:ServerExit/>")


def encode_special(command: str, table: str = "") -> bytes:
    """Body of a Special request (capture 13); the server checks no state before it obeys."""
    return _envelope(f"<ecc:Special><command>{escape(command)}</command><table>{escape(table)}</table></ecc:Special>")


def encode_transition(transition: Transition, config: ConfigId, links: Sequence[DataLink] = ()) -> bytes:
    """Body of a transition request (captures 03 to 12); LocalProtocolError for what kills the server.

    The children carry no prefix: a prefixed one is read as an empty string (facts 1.2).
    """
    if transition in KILLS_SERVER:
        raise LocalProtocolError(
            f"{transition.name.capitalize()} crashes the ECC server (facts 1.5); Stop or Breakup lead out of Paused"
        )
    if transition not in OPERATION_OF:
        raise LocalProtocolError(f"{transition!r} is no transition that can be asked for")
    name = OPERATION_OF[transition]
    table = encode_data_link_set(links) if links else ""
    return _envelope(
        f"<ecc:{name}><configID>{escape(config.to_xml())}</configID><table>{escape(table)}</table></ecc:{name}>"
    )


def http_request(host: str, port: int, body: bytes) -> bytes:
    """A whole request for one connection, headers as in the captures; the server closes after it."""
    if not host or not host.isascii() or not host.isprintable() or " " in host:
        raise LocalProtocolError(f"host is {host!r}; allowed: a name or an address without blanks")
    head = (
        "POST / HTTP/1.1\r\n"
        f"Host: {host}:{port}\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        'SOAPAction: ""\r\n'
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def decode_state_reply(http_status: int, body: bytes) -> StateReply:
    """Answer of GetState; SoapFault, XmlRefused or RemoteProtocolError when it is none."""
    element = _response(http_status, body, "ResponseState")
    state, transition = _number(element, "State"), _number(element, "Transition")
    if state not in set(State):
        raise RemoteProtocolError(f"State is {state}; allowed: 0 to {max(State)}")
    if transition not in set(Transition):
        raise RemoteProtocolError(f"Transition is {transition}; allowed: 0 to {max(Transition)}")
    return StateReply(*_error_of(element), State(state), Transition(transition))


def decode_text_reply(http_status: int, body: bytes) -> TextReply:
    """Answer of GetConfigIDs, Special and every transition; same errors as decode_state_reply."""
    element = _response(http_status, body, "ResponseText")
    return TextReply(*_error_of(element), _text(element, "Text"))


def decode_exit_reply(http_status: int, body: bytes) -> ExitReply:
    """Answer of ServerExit; same errors as decode_state_reply."""
    return ExitReply(*_error_of(_response(http_status, body, "Response")))


def _envelope(inner: str) -> bytes:
    return (_OPEN + inner + _CLOSE).encode()


def _response(http_status: int, body: bytes, name: str) -> etree._Element:
    """The one element of the SOAP body, which must be called `name`."""
    if not body:
        raise RemoteProtocolError(f"HTTP {http_status} with an empty body; expected <{name}>")
    try:
        found = _body_element(body)
    except XmlRefused:
        if http_status == 200:
            raise
        raise RemoteProtocolError(f"HTTP {http_status} without a SOAP answer; expected 200 or 500") from None
    if local_name(found) == "Fault":
        raise SoapFault(_text(found, "faultcode"), _text(found, "faultstring"))
    if http_status != 200:
        raise RemoteProtocolError(f"HTTP {http_status} without a SOAP fault; expected 200 or 500")
    if local_name(found) != name:
        raise RemoteProtocolError(f"the answer is a <{local_name(found)}>; expected <{name}>")
    return found


def _body_element(data: bytes) -> etree._Element:
    root = parse_untrusted(data, "the SOAP answer")
    if local_name(root) != "Envelope":
        raise RemoteProtocolError(f"the answer is a <{local_name(root)}>; expected a SOAP <Envelope>")
    bodies = children(root, "Body")
    elements = [child for body in bodies for child in body if local_name(child)]
    if len(bodies) != 1 or len(elements) != 1:
        raise RemoteProtocolError("the SOAP answer needs one <Body> with one element")
    return elements[0]


def _error_of(element: etree._Element) -> tuple[int, str]:
    return _number(element, "ErrorCode"), _text(element, "ErrorMessage")


def _text(element: etree._Element, name: str) -> str:
    found = children(element, name)
    if len(found) != 1 or len(found[0]):
        raise RemoteProtocolError(f"<{local_name(element)}> needs exactly one <{name}> holding text only")
    return found[0].text or ""


def _number(element: etree._Element, name: str) -> int:
    text = _text(element, name).strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        raise RemoteProtocolError(f"{name} is {text[:40]!r}; allowed: a whole number")
    return int(text)
