"""XML from outside: parsed only after everything dangerous about it has been refused."""

import re

from lxml import etree

from get_protocol.errors import LocalProtocolError, XmlRefused

MAX_BYTES = 10_000_000
"""Refuse anything larger; a Configure answer for twelve boards has about 3.5 MB (facts 1.3)."""
MAX_DEPTH = 64

_DECLARED_ENCODING = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_NOT_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_SPACE = " \t\r\n"


def parse_untrusted(data: bytes | str, what: str, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Root element of the UTF-8 document `data`; `what` names it in the XmlRefused message."""
    text = decode_untrusted(data, what, max_bytes=max_bytes)
    try:
        root = etree.fromstring(text.encode(), untrusted_parser())
    except etree.XMLSyntaxError as error:
        raise XmlRefused(f"{what} is not well-formed XML: {error.msg}") from None
    if is_too_deep(root):
        raise XmlRefused(f"{what} nests elements deeper than the {MAX_DEPTH} levels allowed")
    return root


def decode_untrusted(data: bytes | str, what: str, *, max_bytes: int = MAX_BYTES) -> str:
    """Text of `data` once size, encoding and the absence of a DOCTYPE have been checked."""
    if len(data) > max_bytes:
        raise XmlRefused(f"{what} has {len(data)} bytes; at most {max_bytes} are allowed")
    text = data if isinstance(data, str) else _utf8(data, what)
    bad = _NOT_XML_CHARACTER.search(text)
    if bad:
        raise XmlRefused(
            f"{what} holds the character U+{ord(bad[0]):04X} at offset {bad.start()}, which XML does not allow"
        )
    start = _end_of_prolog(text)
    if text[start : start + 9].upper() == "<!DOCTYPE":
        raise XmlRefused(f"{what} has a DOCTYPE at offset {start}; none is allowed")
    return text


def is_too_deep(root: etree._Element) -> bool:
    """Whether elements nest deeper than MAX_DEPTH levels."""
    return bool(_TOO_DEEP(root))


def local_name(element: etree._Element) -> str:
    """Tag without its namespace; empty for comments and processing instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace_of(element: etree._Element) -> str:
    """Namespace of an element, empty for none; an undeclared prefix, too, is none."""
    tag = element.tag
    return tag[1:].rpartition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def children(parent: etree._Element, name: str) -> list[etree._Element]:
    """Child elements of that local name, whatever their namespace."""
    return [child for child in parent if local_name(child) == name]


def escape(text: str) -> str:
    """Character data as the ECC server writes it: quotes stay, `>` is escaped (facts 1.3)."""
    bad = _NOT_XML_CHARACTER.search(text)
    if bad:
        raise LocalProtocolError(f"the character U+{ord(bad[0]):04X} at offset {bad.start()} cannot be written in XML")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#xD;")


def attribute(text: str) -> str:
    """Attribute value, without its quotes, that reads back as `text`."""
    text = escape(text).replace('"', "&quot;")
    return text.replace("\t", "&#x9;").replace("\n", "&#xA;")


def untrusted_parser(*, recover: bool = False) -> etree.XMLParser:
    """A parser that fetches, expands and loads nothing; input goes through decode_untrusted first."""
    # A parser serialises the threads that share it, so each document gets its own.
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
    )


def _utf8(data: bytes, what: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XmlRefused(f"{what} is not UTF-8 text at byte {error.start}") from None
    declared = _DECLARED_ENCODING.match(text)
    if declared and declared[1].lower() not in {"utf-8", "us-ascii", "ascii"}:
        raise XmlRefused(f"{what} declares the encoding {declared[1][:40]!r}; only UTF-8 is allowed")
    return text


def _end_of_prolog(text: str) -> int:
    """Offset of the first thing that is no declaration, comment, instruction or blank."""
    position = 0
    while True:
        while text[position : position + 1] and text[position] in _SPACE:
            position += 1
        closing = {"<?": "?>", "<!--": "-->"}
        opened = next((mark for mark in closing if text.startswith(mark, position)), None)
        end = -1 if opened is None else text.find(closing[opened], position + len(opened))
        if opened is None or end < 0:
            return position
        position = end + len(closing[opened])
