"""Configuration files compared as a physicist reads them: parameter by parameter, old and new (facts 3).

Comments, white space around values, the order of attributes and of parameters, and XML declarations do not count.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from get_protocol.errors import RemoteProtocolError
from get_protocol.untrusted_xml import local_name, parse_untrusted

MAX_BYTES = 4_000_000
"""Largest file that is read; a hardware description has 210 kB (facts 3)."""
MAX_PARAMETERS = 50_000
MAX_PATH = 300
_SPACE = " \t\r\n"
# What separates the parts of a path must not come in through an id, or two parameters could get the same path.
_SEPARATOR = re.compile(r"([/\[\]@#\\])")

Path = tuple[str, str]
"""A group such as CoBo[0], Device[debug] or ECC, and the parameter in it, as Module/coboId or Module/coboId@range."""
Parameters = Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter that is not the same; None where it does not exist."""

    group: str
    parameter: str
    old: str | None
    new: str | None


def flatten(data: bytes | str, what: str) -> dict[Path, str]:
    """Every parameter of a file in its order; XmlRefused, or RemoteProtocolError where there are too many.

    `Node` and `Instance` become the group, in which `*` is a template: CoBo[*] Module/coboId. What stands twice under
    the same name is numbered (#2), an attribute other than `id` is a parameter of its own (@range).
    """
    return _Flattening(what).of(parse_untrusted(data, what, max_bytes=MAX_BYTES))


def diff(old: Parameters, new: Parameters) -> Iterator[Difference]:
    """What is not the same, group by group in the order of the old file, then what only the new one has."""
    changed = [path for path, value in old.items() if new.get(path) != value]
    changed += [path for path in new if path not in old]
    groups = {group: number for number, group in enumerate(dict.fromkeys(group for group, _ in (*old, *new)))}
    for path in sorted(changed, key=lambda path: groups[path[0]]):
        yield Difference(*path, old.get(path), new.get(path))


class _Flattening:
    """One file on its way from a tree to parameters."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: dict[Path, str] = {}

    def of(self, root: etree._Element) -> dict[Path, str]:
        top = local_name(root)
        if root.get("id"):
            self._note(top, "@id", root.get("id", ""))
        self._text(root, top, "", is_leaf=False)
        for label, child in _labelled(root):
            if label.startswith("Node["):
                self._node(label, child)
            elif len(child):
                self._walk(child, label, "")
            else:
                self._walk(child, top, label)
        return self._found

    def _node(self, label: str, node: etree._Element) -> None:
        """A board type's parameters, its instances as groups of their own."""
        # Node[CoBo] is CoBo, and a second one CoBo#2.
        name = _escape(node.get("id", "")) + _number_of(label)
        self._text(node, label, "", is_leaf=False)
        for inner, child in _labelled(node):
            if inner.startswith("Instance["):
                self._walk(child, name + inner.removeprefix("Instance"), "")
            else:
                self._walk(child, label, inner)

    def _walk(self, element: etree._Element, group: str, path: str) -> None:
        """An element and everything below it."""
        below = f"{path}/" if path else ""
        is_leaf = True
        if len(element):
            for label, child in _labelled(element):
                is_leaf = False
                self._walk(child, group, below + label)
        self._text(element, group, path, is_leaf=is_leaf)

    def _text(self, element: etree._Element, group: str, path: str, *, is_leaf: bool) -> None:
        """What an element says itself: a leaf always, others where they hold text or attributes."""
        text = element.text or ""
        if len(element):
            text += "".join(child.tail or "" for child in element)
        text = text.strip(_SPACE)
        if is_leaf or text:
            self._note(group, path, text)
        for name, value in element.items():
            if name != "id":
                self._note(group, f"{path}@{_escape(str(name))}", str(value))

    def _note(self, group: str, path: str, value: str) -> None:
        if len(self._found) >= MAX_PARAMETERS:
            raise RemoteProtocolError(f"{self._what} has more than the {MAX_PARAMETERS} parameters allowed")
        if len(group) + len(path) > MAX_PATH:
            raise RemoteProtocolError(f"{self._what}: a path has more than the {MAX_PATH} characters allowed")
        self._found[group, path] = value


def _labelled(element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Child elements with a label that no other of them has."""
    seen: dict[str, int] = {}
    for child in element:
        tag: object = child.tag
        if not isinstance(tag, str):
            continue  # a comment or an instruction
        name = child.get("id")
        label = _escape(tag) if name is None else f"{_escape(tag)}[{_escape(name)}]"
        number = seen[label] = seen.get(label, 0) + 1
        yield label if number == 1 else f"{label}#{number}", child


def _number_of(label: str) -> str:
    """The #2 at the end of a label, if it has one."""
    numbered = re.search(r"(?<!\\)#\d+$", label)
    return numbered[0] if numbered else ""


def _escape(text: str) -> str:
    return text if text.isalnum() else _SEPARATOR.sub(r"\\\1", text)
