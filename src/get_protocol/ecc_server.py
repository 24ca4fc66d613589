"""The server's half of the SOAP interface, as lenient and as strict as the real one (facts 1.2, 1.5)."""

from http import HTTPStatus

from lxml import etree

from get_protocol.ecc_types import NAMESPACE, ExitReply, Operation, Request, StateReply, TextReply
from get_protocol.errors import NoReply, SoapFault, XmlRefused
from get_protocol.untrusted_xml import (
    MAX_DEPTH,
    attribute,
    children,
    decode_untrusted,
    escape,
    is_too_deep,
    local_name,
    namespace_of,
    untrusted_parser,
)

SOAP11 = "http://schemas.xmlsoap.org/soap/"
SOAP12 = "http://www.w3.org/2003/05/soap-"
UNFINISHED_HELD_S = 60.0
"""How long the real server waits for the rest of an unfinished request (facts 1.1)."""


def decode_request(body: bytes) -> Request:
    """Request as the real server reads it; SoapFault where it answers one, NoReply where it closes.

    Prefixed children are read as absent, unknown ones and further operations are ignored (facts 1.2).
    """
    if not body:
        raise SoapFault("SOAP-ENV:Client", "Data required for operation")
    root = _parse(body)
    soap12 = root.nsmap.get(root.prefix) == SOAP12 + "envelope"
    operation = _operation(root)
    if operation is None:
        raise _unknown_method("")
    namespace, name = namespace_of(operation), local_name(operation)
    if namespace != NAMESPACE or name not in set(Operation):
        raise _unknown_method(f"{operation.prefix}:{name}" if operation.prefix else name)
    return Request(
        Operation(name),
        _child(operation, "configID"),
        _child(operation, "table"),
        _child(operation, "command"),
        soap12,
    )


def encode_state_reply(reply: StateReply, *, soap12: bool = False) -> bytes:
    """Body of a GetState answer, byte for byte (capture 01)."""
    inner = _code(reply.error_code, reply.error_message)
    inner += f"<State>{int(reply.state)}</State><Transition>{int(reply.transition)}</Transition>"
    return _envelope(f"<ecc:ResponseState>{inner}</ecc:ResponseState>", soap12=soap12)


def encode_text_reply(reply: TextReply, *, soap12: bool = False) -> bytes:
    """Body of the answer to a transition, GetConfigIDs or Special, byte for byte (captures 02 to 13)."""
    inner = _code(reply.error_code, reply.error_message) + _element("Text", reply.text)
    return _envelope(f"<ecc:ResponseText>{inner}</ecc:ResponseText>", soap12=soap12)


def encode_exit_reply(reply: ExitReply = ExitReply(0, ""), *, soap12: bool = False) -> bytes:
    """Body of a ServerExit answer (capture 70)."""
    inner = _code(reply.error_code, reply.error_message)
    return _envelope(f"<ecc:Response>{inner}</ecc:Response>", soap12=soap12)


def encode_fault(fault: SoapFault) -> bytes:
    """Body of a SOAP 1.1 fault, to be sent with status 500 (captures 40)."""
    inner = _element("faultcode", fault.code) + _element("faultstring", fault.string)
    return _envelope(f"<SOAP-ENV:Fault>{inner}</SOAP-ENV:Fault>", soap12=False)


def http_response(status: int, body: bytes) -> bytes:
    """A whole answer with the real server's headers (facts 1.1); the connection is closed after it."""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Server: gSOAP/2.8\r\n"
        "X-Frame-Options: SAMEORIGIN\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _parse(body: bytes) -> etree._Element:
    try:
        data = decode_untrusted(body, "the request").encode()
    except XmlRefused as error:
        raise NoReply(str(error)) from None
    root = _feed(data)
    if is_too_deep(root):
        raise NoReply(f"the request nests elements deeper than {MAX_DEPTH} levels")
    if local_name(root) != "Envelope":
        raise NoReply(f"the request is a <{local_name(root)}>, no SOAP Envelope")
    return root


def _feed(data: bytes, *, recover: bool = False) -> etree._Element:
    """Parse in two steps, which tells wrong (fails at once) from unfinished (fails at the end)."""
    parser = untrusted_parser(recover=recover)
    try:
        parser.feed(data)
    except etree.XMLSyntaxError as error:
        raise NoReply(f"the request is not XML: {error.msg}") from None
    try:
        return parser.close()
    except etree.XMLSyntaxError as error:
        if recover or parser.feed_error_log.filter_from_fatals():
            raise NoReply(f"the request is unfinished: {error.msg}", UNFINISHED_HELD_S) from None
        # An undeclared prefix is all that is wrong: the real server names it in a fault (facts 1.2).
        return _feed(data, recover=True)


def _operation(root: etree._Element) -> etree._Element | None:
    """First element of the SOAP body; what follows it is ignored."""
    bodies = children(root, "Body")
    if not bodies:
        raise NoReply("the request has no SOAP Body")
    return next((element for element in bodies[0] if local_name(element)), None)


def _unknown_method(name: str) -> SoapFault:
    reason = "method name or namespace not recognized"
    return SoapFault("SOAP-ENV:Client", f"Method '{name}' not implemented: {reason}")


def _child(operation: etree._Element, name: str) -> str:
    """Content of the first unprefixed child of that name; the prefixed one is the trap of facts 1.2."""
    for element in children(operation, name):
        if not element.prefix and namespace_of(element) in {"", NAMESPACE}:
            return _inner(element)
    return ""


def _inner(element: etree._Element) -> str:
    """Character data, or the markup itself where XML was nested unescaped (capture 50-nested)."""
    if not len(element):
        return element.text or ""
    return escape(element.text or "") + "".join(_outer(child) for child in element)


def _outer(element: etree._Element) -> str:
    tail, name = escape(element.tail or ""), local_name(element)
    if not name:
        return tail
    name = f"{element.prefix}:{name}" if element.prefix else name
    pairs = (f' {str(key).rpartition("}")[2]}="{attribute(str(value))}"' for key, value in element.items())
    inner = escape(element.text or "") + "".join(_outer(child) for child in element)
    return f"<{name}{''.join(pairs)}>{inner}</{name}>{tail}"


def _code(error_code: int, error_message: str) -> str:
    return f"<ErrorCode>{error_code}</ErrorCode>" + _element("ErrorMessage", error_message)


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def _envelope(inner: str, *, soap12: bool) -> bytes:
    soap = (SOAP12 + "envelope", SOAP12 + "encoding") if soap12 else (SOAP11 + "envelope/", SOAP11 + "encoding/")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{soap[0]}" xmlns:SOAP-ENC="{soap[1]}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:ecc="urn:ecc"><SOAP-ENV:Body>{inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>\r\n'
    ).encode()
