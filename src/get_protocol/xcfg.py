"""Reader of the GET configuration files: `*` templates and what overrides them (facts 3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from lxml import etree

from get_protocol.errors import LocalProtocolError, RemoteProtocolError
from get_protocol.untrusted_xml import children, local_name, parse_untrusted

ANY = "*"
"""Id of a template, whose values hold for every sibling that gives none of its own."""

Step = tuple[str, str]
_STEP = re.compile(r"(?P<tag>[^/\[\]]+)(?:\[(?P<id>[^/\[\]]+)\])?")
_ADDRESS_FIELDS = 4


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One board of a describe file, templates resolved."""

    node_type: str
    instance: str
    address: str
    port: int
    hardware_config: str
    active: bool

    @property
    def sender_id(self) -> str:
        """Data sender id, exactly as Describe lists it (facts 3)."""
        return f"{self.node_type}[{self.instance}]"


class ConfigTree:
    """Values of one file by path; of several that fit, the one with the most explicit last id wins."""

    def __init__(self, values: dict[tuple[Step, ...], str], instances: tuple[tuple[str, str], ...]) -> None:
        self._values = values
        self.instances = instances

    def value(self, node_type: str, instance: str, path: str) -> str | None:
        """Text at `path`, such as AsAd[0]/Control/isActive, for one board; None where nothing is set."""
        steps = (("Node", node_type), ("Instance", instance), *_steps(path))
        for key in _keys(steps):
            if key in self._values:
                return self._values[key]
        return None

    def flag(self, node_type: str, instance: str, path: str) -> bool | None:
        """The same as a truth value; RemoteProtocolError if it is neither true nor false."""
        text = self.value(node_type, instance, path)
        if text is None:
            return None
        if text not in {"true", "false"}:
            raise RemoteProtocolError(f"{node_type}[{instance}]/{path} is {text[:40]!r}; allowed: true, false")
        return text == "true"

    def number(self, node_type: str, instance: str, path: str) -> int | None:
        """The same as a whole number, decimal or 0x...; RemoteProtocolError if it is none."""
        text = self.value(node_type, instance, path)
        if text is None:
            return None
        try:
            return int(text, 16 if text.lower().startswith("0x") else 10)
        except ValueError:
            raise RemoteProtocolError(
                f"{node_type}[{instance}]/{path} is {text[:40]!r}; allowed: a whole number"
            ) from None


def parse_configure(data: bytes) -> ConfigTree:
    """A `configure-*.xcfg` file; XmlRefused or RemoteProtocolError if it is none."""
    return _tree(data, "Conditions", "the configure file")


def parse_describe(data: bytes) -> tuple[BoardEntry, ...]:
    """Boards of a `describe-*.xcfg` file in its order, inactive ones included; same errors."""
    tree = _tree(data, "Hardware", "the describe file")
    return tuple(_board(tree, node_type, instance) for node_type, instance in tree.instances)


def _board(tree: ConfigTree, node_type: str, instance: str) -> BoardEntry:
    fields = [tree.number(node_type, instance, f"Endpoint/addressField[{i}]") for i in range(_ADDRESS_FIELDS)]
    if any(field is None or not 0 <= field <= 255 for field in fields):
        raise RemoteProtocolError(f"{node_type}[{instance}]: address fields are {fields}; allowed: four of 0 to 255")
    port = tree.number(node_type, instance, "Endpoint/port")
    if port is None or not 0 < port <= 65535:
        raise RemoteProtocolError(f"{node_type}[{instance}]: port is {port}; allowed: 1 to 65535")
    hardware = tree.value(node_type, instance, "HardwareConfigId") or ""
    active = tree.flag(node_type, instance, "isActive")
    address = ".".join(map(str, fields))
    return BoardEntry(node_type, instance, address, port, hardware, active is not False)


def _tree(data: bytes, setup: str, what: str) -> ConfigTree:
    root = parse_untrusted(data, what)
    if local_name(root) != "Setup" or root.get("id") != setup:
        raise RemoteProtocolError(f'{what} is a <{local_name(root)} id="{root.get("id", "")}">; expected {setup!r}')
    values: dict[tuple[Step, ...], str] = {}
    instances = []
    for node in children(root, "Node"):
        for instance in children(node, "Instance"):
            names = (node.get("id", ""), instance.get("id", ""))
            if ANY not in names and names not in instances:
                instances.append(names)
            values.update(_leaves(instance, (("Node", names[0]), ("Instance", names[1]))))
    return ConfigTree(values, tuple(instances))


def _leaves(element: etree._Element, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    for child in element:
        name = local_name(child)
        here = (*path, (name, child.get("id", "")))
        if not name:
            continue
        if any(local_name(grandchild) for grandchild in child):
            yield from _leaves(child, here)
        elif text := "".join([child.text or "", *(after.tail or "" for after in child)]).strip():
            yield here, text


def _steps(path: str) -> list[Step]:
    matches = [_STEP.fullmatch(step) for step in path.split("/")]
    if not all(matches):
        raise LocalProtocolError(f"path is {path!r}; allowed: names with an optional [id], joined by /")
    return [(match["tag"], match["id"] or "") for match in matches if match]


def _keys(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Every way to read ids as given or as the template; an explicit id counts more the deeper it is."""
    choices = [[tag_id] if tag_id[1] in {"", ANY} else [tag_id, (tag_id[0], ANY)] for tag_id in reversed(steps)]
    for reading in product(*choices):
        yield tuple(reversed(reading))
