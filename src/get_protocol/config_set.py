"""Config sets: the describe/prepare/configure triples an ECC server offers (facts 3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from get_protocol.errors import LocalProtocolError, RemoteProtocolError
from get_protocol.untrusted_xml import children, escape, local_name, parse_untrusted

SUB_TYPES = ("describe", "prepare", "configure")
"""The only SubConfigId types; any other ends the real server's process (facts 1.5)."""

_NAME = re.compile(r"[^\x00-\x1f\x7f/]{1,200}")
_NAME_RULE = "1 to 200 characters, no slash or control character, no blank at either end"


@dataclass(frozen=True, order=True, slots=True)
class ConfigId:
    """Names of the three configurations; all must be there, or the real server aborts (facts 1.5)."""

    describe: str
    prepare: str
    configure: str

    def __post_init__(self) -> None:
        for kind in SUB_TYPES:
            name = getattr(self, kind)
            if not (isinstance(name, str) and _NAME.fullmatch(name) and name == name.strip()):
                raise LocalProtocolError(f"config set: {kind} is {name!r}; allowed: {_NAME_RULE}")

    def to_xml(self) -> str:
        """The one-line form of facts 3, byte for byte as the server lists it."""
        subs = ((kind, escape(getattr(self, kind))) for kind in SUB_TYPES)
        inner = "".join(f'<SubConfigId type="{kind}">{name}</SubConfigId>' for kind, name in subs)
        return f"<ConfigId>{inner}</ConfigId>"


def parse_config_id(text: bytes | str) -> ConfigId:
    """Strict reading of one `<ConfigId>`; XmlRefused or RemoteProtocolError otherwise."""
    return _config_id(parse_untrusted(text, "the ConfigId"))


def encode_config_id_set(config_ids: Iterable[ConfigId]) -> str:
    """The Text of a GetConfigIDs answer (capture 02)."""
    lines = "".join(f"\t{config_id.to_xml()}\n" for config_id in config_ids)
    return f"<ConfigIdSet>\n{lines}</ConfigIdSet>"


def parse_config_id_set(text: bytes | str) -> tuple[ConfigId, ...]:
    """Config sets in the order listed; an empty set is a valid answer (facts 3)."""
    root = parse_untrusted(text, "the ConfigIdSet")
    if local_name(root) != "ConfigIdSet":
        raise RemoteProtocolError(f"expected <ConfigIdSet>, got <{local_name(root)}>")
    return tuple(_config_id(child) for child in children(root, "ConfigId"))


def file_names(kind: str, name: str) -> tuple[str, str]:
    """Names of the file that the server reads for `kind` (or `hardware`), and of the one it tries after that (facts 3).

    Prepare loads the configure- file of its name. LocalProtocolError for what is no name.
    """
    if not (_NAME.fullmatch(name) and name == name.strip()):
        raise LocalProtocolError(f"the name of the {kind} configuration is {name[:60]!r}; allowed: {_NAME_RULE}")
    stem = {"prepare": "configure-", "hardware": "hardwareDescription_"}.get(kind, f"{kind}-") + name
    return f"{stem}.xcfg", f"{stem}.xml"


def _config_id(element: etree._Element) -> ConfigId:
    if local_name(element) != "ConfigId":
        raise RemoteProtocolError(f"expected <ConfigId>, got <{local_name(element)}>")
    names: dict[str, str] = {}
    for sub in children(element, "SubConfigId"):
        kind = sub.get("type", "")
        if kind not in SUB_TYPES or kind in names:
            allowed = ", ".join(SUB_TYPES)
            raise RemoteProtocolError(f"SubConfigId type {kind!r}; allowed, once each: {allowed}")
        names[kind] = (sub.text or "").strip()
    missing = [kind for kind in SUB_TYPES if not names.get(kind)]
    if missing:
        raise RemoteProtocolError(f"ConfigId without a name for {', '.join(missing)}")
    try:
        return ConfigId(**names)
    except LocalProtocolError as error:
        raise RemoteProtocolError(str(error)) from None
