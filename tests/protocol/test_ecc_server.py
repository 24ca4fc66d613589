"""The server's half: lenient where the real one is, and no further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol import ecc_messages as ecc
from get_protocol.ecc_messages import Operation, Request
from get_protocol.errors import NoReply, ProtocolError, ServerAborts, SoapFault

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
DESCRIBE = '<ConfigId><SubConfigId type="describe">cobo0</SubConfigId></ConfigId>'


def asked(inner: str, *, soap: str = SOAP11, namespaces: str = 'xmlns:ecc="urn:ecc"') -> Request:
    text = f'<e:Envelope xmlns:e="{soap}" {namespaces}><e:Header/><e:Body>{inner}</e:Body></e:Envelope>'
    return ecc.decode_request(text.encode())


@pytest.mark.parametrize(
    ("inner", "namespaces"),
    [
        ("<ecc:GetState/>", 'xmlns:ecc="urn:ecc"'),
        ("<x:GetState/>", 'xmlns:x="urn:ecc"'),
        ("<GetState/>", 'xmlns="urn:ecc"'),
        ('<GetState xmlns="urn:ecc"/>', ""),
        ("<!-- c --> <ecc:GetState a='b'>text<x/></ecc:GetState>", 'xmlns:ecc="urn:ecc"'),
        ("<ecc:GetState/><ecc:ServerExit/>", 'xmlns:ecc="urn:ecc"'),
    ],
)
def test_accepted_forms(inner: str, namespaces: str) -> None:
    assert asked(inner, namespaces=namespaces) == Request(Operation.GET_STATE)


@pytest.mark.parametrize(
    ("inner", "name"),
    [
        ("", ""),
        ("<GetState/>", "GetState"),
        ("<undeclared:GetState/>", "undeclared:GetState"),
        ('<x:GetState xmlns:x="http://localhost:8083/"/>', "x:GetState"),
        ('<GetState xmlns="urn:http://localhost:8083/"/>', "GetState"),
        ("<ecc:getState/>", "ecc:getState"),
        ("<ecc:Foo/>", "ecc:Foo"),
    ],
)
def test_unknown_methods(inner: str, name: str) -> None:
    with pytest.raises(SoapFault) as caught:
        asked(inner)
    assert caught.value.code == "SOAP-ENV:Client"
    expected = f"Method '{name}' not implemented: method name or namespace not recognized"
    assert caught.value.string == expected


@pytest.mark.parametrize(
    ("children", "config_id"),
    [
        ("", ""),
        ("<configID/>", ""),
        ("<ecc:configID>x</ecc:configID>", ""),
        ("<ecc:configID>x</ecc:configID><configID>y</configID>", "y"),
        ("<table>t</table><configID>y</configID>", "y"),
        ("<configID>y</configID><configID>z</configID>", "y"),
        ('<configID xmlns="urn:ecc">y</configID>', "y"),
        ('<configID xmlns="">y</configID>', "y"),
        ('<configID xmlns="urn:other">y</configID>', ""),
        ("<configid>y</configid><other>o</other>", ""),
        ("<configID>&lt;a&gt;&amp;amp;</configID>", "<a>&amp;"),
        ("<configID><![CDATA[<a b='c'>]]></configID>", "<a b='c'>"),
        ('<configID>\n  <a b="c &quot;">&lt;</a>\n <d/></configID>', '\n  <a b="c &quot;">&lt;</a>\n <d></d>'),
        ("<configID>x<!-- c -->y</configID>", "xy"),
        ('<configID><n:a xmlns:n="u">b</n:a></configID>', "<n:a>b</n:a>"),
    ],
)
def test_children(children: str, config_id: str) -> None:
    assert asked(f"<ecc:Describe>{children}</ecc:Describe>").config_id == config_id


def test_special() -> None:
    request = asked("<ecc:Special><table>t</table><command>hello</command></ecc:Special>")
    assert request == Request(Operation.SPECIAL, table="t", command="hello")


def test_soap12_is_answered_in_soap12() -> None:
    request = asked("<ecc:GetState/>", soap=SOAP12)
    assert request.soap12
    body = ecc.encode_exit_reply(soap12=True)
    assert SOAP12.encode() in body
    assert SOAP11.encode() not in body
    assert ecc.decode_exit_reply(200, body) == ecc.ExitReply(0, "")


@pytest.mark.parametrize(
    ("body", "held_s"),
    [
        (b"hello", 0),
        (b"<a/>", 0),
        (b"<Envelope/>", 0),
        (b"<Envelope><Body></Envelope>", 0),
        (b"<Envelope><Body/></Envelope>junk", 0),
        (b"\xff\xfe<\x00", 0),
        (b"\x00", 0),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope/>', 0),
        (b"<Envelope>" + 70 * b"<a>" + 70 * b"</a>" + b"</Envelope>", 0),
        (b"<Envelope><Body>", 60),
        (b"<Envelope><Body><x:a/>", 60),
        (b"<Envel", 60),
        (b"<", 60),
        (b" ", 60),
    ],
)
def test_no_reply(body: bytes, held_s: float) -> None:
    with pytest.raises(NoReply) as caught:
        ecc.decode_request(body)
    assert caught.value.held_s == held_s
    assert str(caught.value) == caught.value.reason


def test_nothing_at_all_gets_a_fault() -> None:
    with pytest.raises(SoapFault, match="Data required for operation"):
        ecc.decode_request(b"")


@given(st.binary() | st.text(st.sampled_from('<>/:=" EnvelopBdyGtSa')).map(str.encode))
def test_anything_is_read_or_refused(body: bytes) -> None:
    with pytest.raises((NoReply, SoapFault)):
        ecc.decode_request(body)


@pytest.mark.parametrize(
    "sub",
    [
        '<SubConfigId type="foo">a</SubConfigId>',
        '<SubConfigId type="Describe">a</SubConfigId>',
        "<SubConfigId>a</SubConfigId>",
        '<SubConfigId type="prepare"></SubConfigId>',
        '<SubConfigId type="prepare"> \n</SubConfigId>',
    ],
)
def test_what_ends_the_real_process(sub: str) -> None:
    with pytest.raises(ServerAborts, match="SubConfigId"):
        ecc.read_config_id(f'<ConfigId><SubConfigId type="describe">d</SubConfigId>{sub}</ConfigId>')


@pytest.mark.parametrize("text", ["", "x", "<a/>", "<ConfigId/>", "<ConfigId><SubConfigId>", "<!DOCTYPE a><ConfigId/>"])
def test_what_holds_no_names_is_not_valid(text: str) -> None:
    found = ecc.read_config_id(text)
    assert found == ecc.ServerConfigId()
    assert found.invalid_message() == "Configuration identifier '<ConfigId></ConfigId>' is not valid."


def test_names_that_were_given_are_quoted() -> None:
    found = ecc.read_config_id(DESCRIBE.replace("cobo0", " cobo0\n"))
    assert found == ecc.ServerConfigId(describe="cobo0")
    assert found.invalid_message() == f"Configuration identifier '{DESCRIBE}' is not valid."


def link(sender: str = "CoBo[0]", **changed: str) -> str:
    router = {"name": "d", "ipAddress": "127.0.0.1", "port": "46005", "type": "TCP"} | changed
    attributes = " ".join(f'{key}="{value}"' for key, value in router.items())
    return f'<DataLink><DataSender id="{sender}"/><DataRouter {attributes}/></DataLink>'


def read(*links: str) -> dict[str, ecc.ServerLink]:
    return ecc.read_data_links(f"<DataLinkSet>{''.join(links)}</DataLinkSet>")


def test_links_as_the_board_gets_them() -> None:
    links = read(link(), link(port="46007"), link("CoBo[1]", ipAddress="cobo1.lab"), link("CoBo[2]", type="tcp"))
    assert list(links) == ["CoBo[0]", "CoBo[1]", "CoBo[2]"]
    assert links["CoBo[0]"].port == 46005
    assert links["CoBo[1]"].address == "255.255.255.255"
    assert links["CoBo[2]"].type == "tcp"


@pytest.mark.parametrize("address", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", "::1"])
def test_what_is_no_number_becomes_no_address(address: str) -> None:
    assert read(link(ipAddress=address))["CoBo[0]"].address == "255.255.255.255"


@pytest.mark.parametrize("port", ["", "0", "65536", "x", "-1", "123456"])
def test_bad_port_is_no_link(port: str) -> None:
    assert read(link(port=port)) == {}


@pytest.mark.parametrize("text", ["", "x", "<DataLinkSet>", "<Other/>", "<DataLinkSet><DataLink/></DataLinkSet>"])
def test_unreadable_table_is_no_link(text: str) -> None:
    assert ecc.read_data_links(text) == {}


@given(st.text(st.sampled_from('<>/="ConfigIdSubDataLkSt ')))
def test_arguments_never_surprise(text: str) -> None:
    ecc.read_data_links(text)
    try:
        ecc.read_config_id(text)
    except ProtocolError as error:
        assert isinstance(error, ServerAborts)  # noqa: PT017
