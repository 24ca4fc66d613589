"""The manual as files for nginx, under the addresses of the pages: help is there when everything else is away."""

import gzip
from pathlib import Path

from django.template.loader import render_to_string

from attpcdaq.web import help_text


def build(directory: Path) -> int:
    """Write index.html, NAME/index.html and a .gz beside each; how many pages. OSError where that is not possible."""
    pages = help_text.read_all()
    _write(directory, render_to_string("help/index.html", {"pages": pages}))
    for page in pages:
        _write(directory / page.name, render_to_string("help/page.html", {"page": page}))
    return 1 + len(pages)


def _write(directory: Path, html: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    text = html.encode()
    _replace(directory / "index.html", text)
    _replace(directory / "index.html.gz", gzip.compress(text, mtime=0))


def _replace(path: Path, content: bytes) -> None:
    """At once: nginx never serves half a page."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(content)
    unfinished.replace(path)
