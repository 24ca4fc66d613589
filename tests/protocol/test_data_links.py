"""Data links and senders: what is read, what is written and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.data_links import (
    ConfigFile,
    ConfigureAnswer,
    DataLink,
    LinkType,
    encode_configure_text,
    encode_data_link_set,
    encode_data_sender_set,
    parse_configure_text,
    parse_data_link_set,
    parse_data_sender_set,
)
from get_protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError

LINK = DataLink("CoBo[0]", "data0", "192.168.41.60", 46005, LinkType.TCP)
ADDRESSES = st.ip_addresses(v=4).map(str).filter(lambda text: text not in {"0.0.0.0", "255.255.255.255"})
PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" <>&\"'"), max_size=20)
SENDERS = st.builds("{}[{}]".format, st.sampled_from(["CoBo", "Mutant", "X_1"]), st.integers(0, 99) | st.just("master"))
LINKS = st.builds(DataLink, SENDERS, PRINTABLE, ADDRESSES, st.integers(1, 65535), st.sampled_from(LinkType))
SEVERAL = st.lists(LINKS, max_size=4, unique_by=lambda link: link.sender)
CONTENTS = st.sampled_from(
    ["", "<Setup/>", "<a>\n<!-- </File> -->\n</a>\n", '<a b=">"/><![CDATA[<File>]]>', "\n\n", "<Files/>", "<?File?>"]
)
FILES = st.lists(st.builds(ConfigFile, PRINTABLE, PRINTABLE, PRINTABLE, CONTENTS), max_size=4)


def link_xml(**wrong: str) -> str:
    router = {"name": "d", "ipAddress": "127.0.0.1", "port": "46005", "type": "TCP"} | wrong
    sender = router.pop("sender", "CoBo[0]")
    attributes = " ".join(f'{key}="{value}"' for key, value in router.items())
    return f'<DataLinkSet><DataLink><DataSender id="{sender}"/><DataRouter {attributes}/></DataLink></DataLinkSet>'


@given(SEVERAL)
def test_links_read_back(links: list[DataLink]) -> None:
    assert parse_data_link_set(encode_data_link_set(links)) == tuple(links)


@given(st.lists(SENDERS, max_size=5))
def test_senders_read_back(senders: list[str]) -> None:
    assert parse_data_sender_set(encode_data_sender_set(senders)) == tuple(senders)


@given(SEVERAL, FILES)
def test_configure_answer_reads_back(links: list[DataLink], files: list[ConfigFile]) -> None:
    answer = ConfigureAnswer(tuple(links), tuple(files))
    assert parse_configure_text(encode_configure_text(answer)) == answer


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "cobo0.lab",
        "255.255.255.255",
        "0.0.0.0",
        "::1",
        "127.0.0.1 ",
        "127.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "010.0.0.1",
    ],
)
def test_address_must_be_a_usable_number(address: str) -> None:
    with pytest.raises(LocalProtocolError, match=r"address is .* numeric IPv4"):
        replace(LINK, address=address)
    with pytest.raises(RemoteProtocolError, match="numeric IPv4"):
        parse_data_link_set(link_xml(ipAddress=address))


@pytest.mark.parametrize("port", [0, -1, 65536, True, "46005", 1.5, None])
def test_port(port: object) -> None:
    with pytest.raises(LocalProtocolError, match=r"port is .* 1 to 65535"):
        replace(LINK, port=port)


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "0x10", "99999999", "\u0664", "1.0"])
def test_port_on_the_wire(port: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"port is .* 1 to 65535"):
        parse_data_link_set(link_xml(port=port))


@pytest.mark.parametrize("kind", ["", "tcp", "FOO", "TCP "])
def test_type_is_case_sensitive(kind: str) -> None:
    with pytest.raises(LocalProtocolError, match="TCP, FDT, ZBUF, ICE"):
        replace(LINK, type=kind)
    with pytest.raises(RemoteProtocolError, match="TCP, FDT, ZBUF, ICE"):
        parse_data_link_set(link_xml(type=kind))


@pytest.mark.parametrize("sender", ["", "CoBo", "CoBo0", "CoBo[]", "[0]", "CoBo[0", "CoBo[0]x", "CoBo[ 0]", 'CoBo["]'])
def test_sender_form(sender: str) -> None:
    with pytest.raises(LocalProtocolError, match="as in CoBo"):
        replace(LINK, sender=sender)
    with pytest.raises(LocalProtocolError, match="as in CoBo"):
        encode_data_sender_set([sender])


def test_senders_from_outside_are_checked() -> None:
    with pytest.raises(RemoteProtocolError, match="as in CoBo"):
        parse_data_sender_set('<DataSenderSet><DataSender id="x"/></DataSenderSet>')
    with pytest.raises(RemoteProtocolError, match="expected <DataSenderSet>"):
        parse_data_sender_set("<DataSender/>")


@pytest.mark.parametrize("router", ["a\nb", "\x00", 101 * "x"])
def test_router_name(router: str) -> None:
    with pytest.raises(LocalProtocolError, match="router name"):
        replace(LINK, router=router)


def test_two_links_for_one_sender_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match=r"two data links for CoBo\[0\]"):
        encode_data_link_set([LINK, replace(LINK, port=46007)])
    assert encode_data_link_set([LINK, replace(LINK, sender="CoBo[1]")]).count("<DataLink>") == 2


@pytest.mark.parametrize(
    "text",
    [
        "<DataLinks/>",
        "<DataLinkSet><DataLink/></DataLinkSet>",
        '<DataLinkSet><DataLink><DataSender id="CoBo[0]"/></DataLink></DataLinkSet>',
    ],
)
def test_incomplete_links_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_data_link_set(text)


@pytest.mark.parametrize(
    "text",
    [
        "<ConfigSet/>",
        "<DataLinkSet/><DataLinkSet/>",
        "<DataLinkSet/><ConfigSet/><ConfigSet/>",
        "<DataLinkSet/><Other/>",
        "<DataLinkSet/><ConfigSet><x><File/></x></ConfigSet>",
        "<DataLinkSet/><ConfigSet><File><File></File></File></ConfigSet>",
        "<DataLinkSet/></Text><Text>",
        "<!DOCTYPE a><DataLinkSet/>",
        '<?xml version="1.0"?><DataLinkSet/>',
        "<DataLinkSet>",
        "&x;",
    ],
)
def test_configure_text_is_read_strictly(text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"Configure answer|ConfigSet"):
        parse_configure_text(text)


@given(st.text(st.sampled_from('<>/"DataLinkSet CongFi!-')))
def test_anything_is_read_or_refused(text: str) -> None:
    for parse in (parse_configure_text, parse_data_link_set, parse_data_sender_set):
        try:
            parse(text)
        except ProtocolError as error:
            assert str(error)  # noqa: PT017
