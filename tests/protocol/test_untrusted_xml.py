"""What is refused before it is looked at, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.errors import LocalProtocolError, XmlRefused
from get_protocol.untrusted_xml import MAX_BYTES, MAX_DEPTH, attribute, escape, parse_untrusted

BOMB = '<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]>\n<a>&c;</a>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB, "DOCTYPE at offset 33"),
        (EXTERNAL, "DOCTYPE at offset 0"),
        ("\n <!doctype a><a/>", "DOCTYPE at offset 2"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE a><a/>", "DOCTYPE"),
        (BOMB.encode("utf-16"), "not UTF-8"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "declares the encoding 'utf-7'"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "not UTF-8 text at byte 46"),
        ("<a>&x;</a>", "not well-formed"),
        ("<a>\x00</a>", "U+0000 at offset 3"),
        ("<a>\ud800</a>", "U+D800 at offset 3"),
        ("<a><b></a>", "not well-formed"),
        ("<a/><b/>", "not well-formed"),
        ("<x:a/>", "not well-formed"),
        ("", "not well-formed"),
        (b"", "not well-formed"),
        ("   ", "not well-formed"),
        ("hello", "not well-formed"),
        ("<!-- unfinished", "not well-formed"),
        ("<?unfinished", "not well-formed"),
    ],
)
def test_refused(data: bytes | str, reason: str) -> None:
    with pytest.raises(XmlRefused, match="the thing") as caught:
        parse_untrusted(data, "the thing")
    assert reason in str(caught.value)


def nested(levels: int) -> str:
    return "<a>" * levels + "</a>" * levels


def test_depth() -> None:
    assert len(list(parse_untrusted(nested(MAX_DEPTH), "it").iter())) == MAX_DEPTH
    for levels in (MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(XmlRefused):
            parse_untrusted(nested(levels), "it")
    with pytest.raises(XmlRefused, match=f"deeper than the {MAX_DEPTH} levels"):
        parse_untrusted(nested(MAX_DEPTH + 1), "it")


def test_size() -> None:
    with pytest.raises(XmlRefused, match=f"has {MAX_BYTES + 1} bytes; at most {MAX_BYTES}"):
        parse_untrusted(b" " * (MAX_BYTES + 1), "it")
    with pytest.raises(XmlRefused, match="at most 10"):
        parse_untrusted("<a>" + 10 * "x" + "</a>", "it", max_bytes=10)


def test_doctype_is_no_danger_where_it_is_only_text() -> None:
    root = parse_untrusted("<a><!-- <!DOCTYPE --><![CDATA[<!DOCTYPE b>]]></a>", "it")
    assert "".join(root.itertext("a")) == "<!DOCTYPE b>"


@given(XML_TEXT)
def test_escaped_text_reads_back(text: str) -> None:
    assert (parse_untrusted(f"<a>{escape(text)}</a>", "it").text or "") == text


@given(st.text(st.sampled_from("\t\n\r <>&\"'ab\u00b5")))
def test_escaped_attribute_reads_back(text: str) -> None:
    assert parse_untrusted(f'<a b="{attribute(text)}"/>', "it").get("b") == text
    assert (parse_untrusted(f"<a>{escape(text)}</a>", "it").text or "") == text


@pytest.mark.parametrize("text", ["\x00", "a\x1b[0m", "\ufffe", "\ud800"])
def test_what_xml_cannot_hold_is_not_written(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be written in XML"):
        escape(text)


@given(st.one_of(st.binary(), st.text(), st.text(alphabet="<>/!?-[]&;= \"'aDOCTYPE")))
def test_anything_is_parsed_or_refused(data: bytes | str) -> None:
    try:
        parse_untrusted(data, "it")
    except XmlRefused as error:
        assert str(error).startswith("it ")  # noqa: PT017
