"""Manual pages: the Markdown files of docs/ as HTML. What is between the marks of a file is text, never HTML."""

import posixpath
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from markdown_it import MarkdownIt
from markdown_it.token import Token

from attpcdaq.runcontrol.troubles.trouble_class import anchor_of

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
FIRST = ("manual", "troubles", "operations", "setup-file", "glossary")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level and its anchor."""

    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One file: its name is its path below docs/ without the ending."""

    name: str
    title: str
    html: str
    sections: tuple[Section, ...]


def names() -> list[str]:
    """Every page, those for the crew first."""
    found = sorted(path.relative_to(settings.DOCS).with_suffix("").as_posix() for path in settings.DOCS.rglob("*.md"))
    return sorted(found, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), "/" in name))


def read(name: str) -> HelpPage:
    """The page of that name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    path = settings.DOCS / f"{name}.md"
    return _rendered(name, path, path.stat().st_mtime_ns)


def read_all() -> list[HelpPage]:
    """Every page, in the order of names()."""
    return [read(name) for name in names()]


@lru_cache(maxsize=128)
def _rendered(name: str, path: Path, changed: int) -> HelpPage:
    tokens = _MARKDOWN.parse(path.read_text(encoding="utf-8"))
    title, sections = name, []
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            words = _words(content)
            token.attrSet("id", anchor_of(words))
            title = words if token.tag == "h1" else title
            sections += [Section(words, anchor_of(words))] if token.tag == "h2" else []
    for token in tokens:
        _prepare(token, name)
    return HelpPage(name, title, _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}), tuple(sections))


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _prepare(token: Token, name: str) -> None:
    """No inline styles (the security policy forbids them), and links that lead to the pages as they are served."""
    token.attrs.pop("style", None)
    for child in token.children or ():
        if child.type == "link_open":
            child.attrSet("href", _address(str(child.attrGet("href") or ""), name))


def _address(link: str, name: str) -> str:
    file, _, fragment = link.partition("#")
    if ":" in file or not file.endswith(".md"):
        return link
    page = posixpath.normpath(posixpath.join(posixpath.dirname(name), file.removesuffix(".md")))
    return f"{reverse('help-page', args=[page])}{'#' if fragment else ''}{fragment}"
