"""How the real ECC server reads the strings `configID` and `table`, for whoever plays its part."""

from dataclasses import dataclass

from lxml import etree

from get_protocol.config_set import SUB_TYPES
from get_protocol.errors import ServerAborts, XmlRefused
from get_protocol.untrusted_xml import children, escape, local_name, parse_untrusted

NO_ADDRESS = "255.255.255.255"
"""What the real server makes of a host name (facts 3)."""


@dataclass(frozen=True, slots=True)
class ServerConfigId:
    """The names a server found; None for those that were not given (facts 1.3)."""

    describe: str | None = None
    prepare: str | None = None
    configure: str | None = None

    def invalid_message(self) -> str:
        """ErrorMessage when the name a transition needs is missing (captures 50)."""
        subs = ((kind, getattr(self, kind)) for kind in SUB_TYPES)
        inner = "".join(f'<SubConfigId type="{kind}">{escape(name)}</SubConfigId>' for kind, name in subs if name)
        return f"Configuration identifier '<ConfigId>{inner}</ConfigId>' is not valid."


@dataclass(frozen=True, slots=True)
class ServerLink:
    """A data link as the board will use it, right or wrong."""

    sender: str
    router: str
    address: str
    port: int
    type: str


def read_config_id(text: str) -> ServerConfigId:
    """Names in `text`, none if it is no ConfigId; ServerAborts where the real process ends (facts 1.5)."""
    root = _lenient(text, "ConfigId")
    names: dict[str, str] = {}
    for sub in children(root, "SubConfigId") if root is not None else []:
        kind, name = sub.get("type", ""), (sub.text or "").strip()
        if kind not in SUB_TYPES:
            raise ServerAborts(f"SubConfigId of type {kind!r}")
        if not name:
            raise ServerAborts(f"empty SubConfigId of type {kind!r}")
        names[kind] = name
    return ServerConfigId(**names)


def read_data_links(text: str) -> dict[str, ServerLink]:
    """Usable links by sender id: of two for one sender the first, none if `text` is unreadable (facts 3)."""
    root = _lenient(text, "DataLinkSet")
    links: dict[str, ServerLink] = {}
    for element in children(root, "DataLink") if root is not None else []:
        link = _link(element)
        if link is not None:
            links.setdefault(link.sender, link)
    return links


def _lenient(text: str, name: str) -> etree._Element | None:
    try:
        root = parse_untrusted(text, name)
    except XmlRefused:
        return None
    return root if local_name(root) == name else None


def _link(element: etree._Element) -> ServerLink | None:
    senders, routers = children(element, "DataSender"), children(element, "DataRouter")
    if not senders or not routers:
        return None
    router = routers[0]
    port = router.get("port", "")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65535):
        return None
    return ServerLink(
        senders[0].get("id", ""),
        router.get("name", ""),
        _address(router.get("ipAddress", "")),
        int(port),
        router.get("type", ""),
    )


def _address(text: str) -> str:
    fields = text.split(".")
    numeric = len(fields) == 4 and all(f.isascii() and f.isdigit() and len(f) <= 3 and int(f) <= 255 for f in fields)
    return text if numeric else NO_ADDRESS
