"""Data senders, data links and the two-rooted answer of Configure (facts 1.3 and 3)."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from get_protocol.errors import LocalProtocolError, RemoteProtocolError
from get_protocol.untrusted_xml import attribute, children, decode_untrusted, local_name, parse_untrusted

_FILE_TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<File(?=[\s/>])(?:"[^"]*"|'[^']*'|[^>"'])*>|</File\s*>""", re.DOTALL
)
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}\[[A-Za-z0-9_.\-]{1,32}\]")


class LinkType(StrEnum):
    """Transports a board knows; the names are case-sensitive (facts 1.4)."""

    TCP = "TCP"
    FDT = "FDT"
    ZBUF = "ZBUF"
    ICE = "ICE"


@dataclass(frozen=True, slots=True)
class DataLink:
    """Where one data source sends its frames; the address must be numeric (facts 3)."""

    sender: str
    router: str
    address: str
    port: int
    type: LinkType

    def __post_init__(self) -> None:
        check_sender(self.sender)
        _check_router(self.router)
        _check_address(self.address)
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 1 <= self.port <= 65535:
            raise LocalProtocolError(f"data link: port is {self.port!r}; allowed: 1 to 65535")
        if not isinstance(self.type, LinkType):
            raise LocalProtocolError(f"data link: type is {self.type!r}; allowed: {', '.join(LinkType)}")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One `.xcfg` the server used; `kind` is describe, prepare, configure or hardware.

    The name of a prepare file is made up by the server: no such file exists (facts 3).
    """

    filename: str
    kind: str
    name: str
    content: str
    format: str = "xcfg"


@dataclass(frozen=True, slots=True)
class ConfigureAnswer:
    """What Configure says it did: links in use and configuration texts."""

    links: tuple[DataLink, ...]
    files: tuple[ConfigFile, ...] = ()


def check_sender(sender: str) -> None:
    """Refuse what cannot be a data sender id such as CoBo[0] or Mutant[master]."""
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise LocalProtocolError(f"data sender id is {sender!r}; allowed: <node type>[<instance>], as in CoBo[0]")


def encode_data_link_set(links: Sequence[DataLink]) -> str:
    """The one-line `table` of Configure; two links for one sender are refused (facts 3)."""
    seen: set[str] = set()
    for link in links:
        if link.sender in seen:
            raise LocalProtocolError(
                f"two data links for {link.sender}; the server would keep the first and drop the second"
            )
        seen.add(link.sender)
    return f"<DataLinkSet>{''.join(map(_link_xml, links))}</DataLinkSet>"


def parse_data_link_set(text: bytes | str) -> tuple[DataLink, ...]:
    """Strict reading; the error names the attribute that is wrong and what is allowed."""
    root = parse_untrusted(text, "the DataLinkSet")
    if local_name(root) != "DataLinkSet":
        raise RemoteProtocolError(f"expected <DataLinkSet>, got <{local_name(root)}>")
    return tuple(_link(element) for element in children(root, "DataLink"))


def encode_data_sender_set(senders: Sequence[str]) -> str:
    """The Text of a Describe answer (capture 03)."""
    for sender in senders:
        check_sender(sender)
    lines = "".join(f'\t<DataSender id="{sender}" />\n' for sender in senders)
    return f"<DataSenderSet>\n{lines}</DataSenderSet>"


def parse_data_sender_set(text: bytes | str) -> tuple[str, ...]:
    """Sender ids in the order listed: the boards that Describe found."""
    root = parse_untrusted(text, "the DataSenderSet")
    if local_name(root) != "DataSenderSet":
        raise RemoteProtocolError(f"expected <DataSenderSet>, got <{local_name(root)}>")
    senders = tuple(child.get("id", "") for child in children(root, "DataSender"))
    try:
        for sender in senders:
            check_sender(sender)
    except LocalProtocolError as error:
        raise RemoteProtocolError(str(error)) from None
    return senders


def encode_configure_text(answer: ConfigureAnswer) -> str:
    """The Text of a Configure answer, byte for byte (capture 05); without files only the links."""
    links = "".join(
        f'\t<DataLink><DataSender id="{link.sender}" /><DataRouter  name="{attribute(link.router)}" '
        f'ipAddress="{link.address}" port="{link.port}" type="{link.type}" /></DataLink>\n'
        for link in answer.links
    )
    files = "".join(map(_file_xml, answer.files))
    file_set = f"<ConfigSet>\n{files}</ConfigSet>" if answer.files else ""
    return f"<DataLinkSet>\n{links}</DataLinkSet>\n{file_set}"


def parse_configure_text(text: str) -> ConfigureAnswer:
    """Strict reading of the two roots; an empty text, as of a failed Configure, holds nothing."""
    if not text.strip():
        return ConfigureAnswer(())
    what = "the Text of the Configure answer"
    decode_untrusted(text, what)
    root = parse_untrusted(f"<Text>{text}</Text>", what)
    link_sets, file_sets = children(root, "DataLinkSet"), children(root, "ConfigSet")
    if len(link_sets) != 1 or len(file_sets) > 1 or len(root) != 1 + len(file_sets):
        raise RemoteProtocolError(f"{what} must be one <DataLinkSet> and at most one <ConfigSet>")
    links = tuple(_link(element) for element in children(link_sets[0], "DataLink"))
    return ConfigureAnswer(links, _files(file_sets[0], text) if file_sets else ())


def _files(file_set: etree._Element, text: str) -> tuple[ConfigFile, ...]:
    """Files with their contents cut from `text`, which lxml would not give back unchanged."""
    elements = children(file_set, "File")
    contents = list(_contents(text))
    if not len(elements) == len(contents) == sum(1 for _ in file_set.getroottree().iter("{*}File")):
        raise RemoteProtocolError("a <File> of the ConfigSet is nested or stands outside of it")
    return tuple(
        ConfigFile(
            element.get("filename", ""),
            element.get("subConfigType", ""),
            element.get("subConfigId", ""),
            content,
            element.get("format", ""),
        )
        for element, content in zip(elements, contents, strict=True)
    )


def _contents(text: str) -> Iterator[str]:
    """What stands between each `<File ...>` and its `</File>`, comments and CDATA skipped."""
    start = None
    for token in _FILE_TOKEN.finditer(text):
        if token[0].startswith("</"):
            if start is not None:
                yield text[start : token.start()].removeprefix("\n").removesuffix("\n")
            start = None
        elif token[0].startswith("<File"):
            start = None if token[0].endswith("/>") else token.end()
            if start is None:
                yield ""


def _file_xml(file: ConfigFile) -> str:
    return (
        f'<File filename="{attribute(file.filename)}" format="{attribute(file.format)}" '
        f'subConfigType="{attribute(file.kind)}" subConfigId="{attribute(file.name)}">\n'
        f"{file.content}\n</File>\n"
    )


def _link_xml(link: DataLink) -> str:
    return (
        f'<DataLink><DataSender id="{link.sender}"/><DataRouter name="{attribute(link.router)}" '
        f'ipAddress="{link.address}" port="{link.port}" type="{link.type}"/></DataLink>'
    )


def _link(element: etree._Element) -> DataLink:
    senders, routers = children(element, "DataSender"), children(element, "DataRouter")
    if len(senders) != 1 or len(routers) != 1:
        raise RemoteProtocolError("a DataLink needs exactly one DataSender and one DataRouter")
    router = routers[0]
    port, kind = router.get("port", ""), router.get("type", "")
    if not (port.isascii() and port.isdigit() and len(port) <= 5):
        raise RemoteProtocolError(f"data link: port is {port[:40]!r}; allowed: 1 to 65535")
    if kind not in set(LinkType):
        raise RemoteProtocolError(f"data link: type is {kind[:40]!r}; allowed: {', '.join(LinkType)}")
    try:
        return DataLink(
            senders[0].get("id", ""),
            router.get("name", ""),
            router.get("ipAddress", ""),
            int(port),
            LinkType(kind),
        )
    except LocalProtocolError as error:
        raise RemoteProtocolError(str(error)) from None


def _check_router(router: str) -> None:
    if not isinstance(router, str) or len(router) > 100 or not router.isprintable():
        raise LocalProtocolError(f"data link: router name is {router!r}; allowed: up to 100 printable characters")


def _check_address(address: str) -> None:
    try:
        number = ipaddress.IPv4Address(address) if isinstance(address, str) else None
    except ValueError:
        number = None
    if number is None or number.is_unspecified or int(number) == 0xFFFFFFFF:
        raise LocalProtocolError(
            f"data link: address is {address!r}; allowed: a numeric IPv4 address such as 192.168.41.60 "
            "(a host name must be resolved first: the ECC server would take it for 255.255.255.255)"
        )
