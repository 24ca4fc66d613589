"""The manual is whole: nothing in it leads nowhere, and everything that leads to it arrives."""

import gzip
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from attpcdaq.runcontrol.troubles.troubles import ALL
from attpcdaq.topology.setup_file import parse
from get_protocol.state_machine import TABLE, State, Transition
from tests.docs.building import DOCS, ROOT, Manual, sources
from tests.e2e.pictures.story import PICTURES

FOREIGN = re.compile(r"[a-z]+:")
HERE = Path(__file__).parent
PUBLISHED = (HERE / "addresses.txt").read_text().split()
# How templates and Python link into the manual.
LINKED = re.compile(
    r"""["']([\w/#-]+)["']\s*\|\s*manual_link|manual_link\(["']([\w/#-]+)["']\)"""
    r"""|url ['"]help-page['"] (?:name=)?['"]([\w/-]+)['"] %\}(#[\w-]+)?|["'=]/help/([\w/-]+/(?:#[\w-]+)?)"""
)

# In Python, for templates that put `|manual_link` behind it.
QUOTED = re.compile(r"""["']([\w/-]+)#([\w-]+)["']""")


def test_it_is_built_without_warnings(manual: Manual) -> None:
    assert manual.complaints == ""


def test_every_page_is_built_and_found_from_the_first_one(manual: Manual) -> None:
    wanted = {"" if name == "index" else f"{name.removesuffix('/index')}/" for name in sources()}
    assert set(manual.pages) - {"search/"} == wanted
    linked = {urljoin(address, link) for address in ("", "adr/") for link in links(manual, address)}
    assert {re.sub(r"^(\.\./|\./)*", "", each) for each in linked} >= wanted - {""}


def links(manual: Manual, address: str) -> list[str]:
    return [str(link) for link in manual.pages[address].xpath("//a/@href")]


def test_the_policy_of_the_pages_allows_all_of_it(manual: Manual) -> None:
    for address, page in manual.pages.items():
        assert page.xpath("//style | //script[not(@src)] | //iframe | //object | //base") == [], address
        assert page.xpath("//@style") == [], address
        assert [name for name in page.xpath("//@*") if name.attrname.startswith("on")] == [], address
        for source in page.xpath("//@src | //link/@href"):
            assert not FOREIGN.match(source), f"{address}: {source} comes from elsewhere"


def test_links_lead_somewhere(manual: Manual) -> None:
    found = [
        (address, str(link))
        for address, page in manual.pages.items()
        for link in page.xpath("//a/@href | //img/@src | //script/@src | //link/@href | //form/@action")
        if not FOREIGN.match(link) and not link.startswith("/")
    ]
    assert len(found) > 1000
    assert [where for where in found if not manual.has(absolute(*where))] == []


def absolute(address: str, link: str) -> str:
    """Where a link of the page at `address` leads, below /help/."""
    path, fragment = urldefrag(unquote(link))
    joined = posixpath.normpath(posixpath.join(address, path)) if path else address.rstrip("/")
    folder = path.endswith("/") or not path
    start = "" if joined in (".", "") else f"{joined}/" if folder else joined
    return f"{start}#{fragment}" if fragment else start


def test_links_to_the_daq_are_its_own_pages(manual: Manual) -> None:
    assert {link for address in manual.pages for link in links(manual, address) if link.startswith("/")} == {"/"}


@pytest.mark.parametrize("address", PUBLISHED)
def test_addresses_that_were_given_out_stay(manual: Manual, address: str) -> None:
    assert manual.has(address)


def test_every_trouble_has_its_section(manual: Manual) -> None:
    for trouble in ALL:
        assert manual.heading_at(f"troubles/#{trouble.anchor}") == trouble.title
    anchors = [trouble.anchor for trouble in ALL]
    assert len(set(anchors)) == len(anchors)


def test_links_from_pages_and_messages_arrive(manual: Manual) -> None:
    paths = [path for path in (ROOT / "src/attpcdaq").rglob("*") if path.suffix in (".html", ".py", ".js")]
    linked = [(path, linked_place(match)) for path in paths for match in LINKED.finditer(path.read_text())]
    names = set(sources())
    linked += [
        (path, f"{name}/#{anchor}")
        for path in paths
        for name, anchor in QUOTED.findall(path.read_text() if path.suffix == ".py" else "")
        if name in names
    ]
    assert [f"{path.relative_to(ROOT)}: {place}" for path, place in linked if not manual.has(place)] == []


@pytest.mark.parametrize(
    "text",
    [
        '{{ "runs#exports"|manual_link }}', "manual_link('runs#exports')", "{% url 'help-page' 'runs' %}#exports",
        '<a href="/help/runs/#exports">',
    ],
)  # fmt: skip
def test_such_links_are_recognised(text: str) -> None:
    assert [linked_place(match) for match in LINKED.finditer(text)] == ["runs/#exports"]


def linked_place(match: re.Match[str]) -> str:
    literal, page, anchor, address = match[1] or match[2], match[3], match[4] or "", match[5]
    if literal:
        name, _, fragment = literal.rpartition("#")
        return f"{name or 'troubles'}/#{fragment}"
    return address or f"{page}/{anchor}"


def test_the_table_of_states_is_the_one_that_the_program_goes_by(manual: Manual) -> None:
    rows = [
        [str(cell.text_content()).strip() for cell in row.xpath("./th | ./td")]
        for row in manual.pages["states/"].xpath("//section[@id='what-each-operation-does']//tr")
    ]
    states = [state for state in State if state is not State.OFF]
    assert rows[0] == ["Operation", *(state.name.capitalize() for state in states)]
    told = {
        (row[0], head): cell.partition(" (")[0] for row in rows[1:] for head, cell in zip(rows[0], row, strict=True)
    }
    for transition in Transition:
        for state in states if TABLE[transition] else []:
            end = TABLE[transition].get(state)
            cell = told[transition.name.capitalize(), state.name.capitalize()]
            assert cell == (end.name.capitalize() if end else "–")


def test_each_text_has_its_compressed_twin(manual: Manual) -> None:
    texts = [path for path in manual.root.rglob("*") if path.suffix in (".html", ".js", ".css")]
    assert len(texts) > 40
    for path in texts:
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()


def test_pages_look_as_those_of_the_daq_do(manual: Manual) -> None:
    ours = (ROOT / "src/attpcdaq/web/static/attpcdaq/daq.css").read_bytes()
    assert (manual.root / "_static/daq.css").read_bytes() == ours


def test_the_example_of_a_setup_is_a_setup() -> None:
    setup = parse((DOCS / "setup-example.toml").read_bytes())
    assert len(setup.data_sources) == 3
    assert all(node.restart_ecc and node.restart_router for node in setup.nodes)


def test_every_picture_that_a_page_names_is_taken_and_no_other() -> None:
    pages = "\n".join(path.read_text() for path in DOCS.glob("*.md"))
    named = re.findall(r"^```\{picture\} ([\w-]+)$", pages, re.MULTILINE)
    assert sorted(set(named)) == sorted(PICTURES)
    assert len(named) == len(set(named))
