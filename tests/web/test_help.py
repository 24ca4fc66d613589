"""The manual beside the pages."""

import gzip
import io
import os
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from attpcdaq.runcontrol.troubles.troubles import ALL
from attpcdaq.topology.setup_file import parse
from attpcdaq.web import help_text
from attpcdaq.web.help_text import names, read
from tests.web.page import Page
from tests.web.people import browser, observer


@pytest.fixture
def client(db: None) -> Client:
    return browser(observer())


def test_the_index_leads_to_every_page_those_for_the_crew_first(client: Client) -> None:
    page = client.get("/help/").content.decode()
    links = re.findall(r'<a href="(/help/[^"]+/)">([^<]+)</a>', page)
    assert [link for link, _ in links] == [f"/help/{name}/" for name in names()]
    assert links[:2] == [("/help/manual/", "A shift with this page"), ("/help/troubles/", "Troubles, and what to do")]
    assert 'href="/help/" aria-current="page"' in page


@pytest.mark.parametrize("name", names())
class TestEveryPage:
    def test_it_is_shown_without_anything_that_the_policy_forbids(self, client: Client, name: str) -> None:
        answer = client.get(f"/help/{name}/")
        assert answer.status_code == 200
        article = re.search(r'<article class="panel manual">(.*)</article>', answer.content.decode(), re.DOTALL)
        assert article
        assert not re.search(r"<(script|style|iframe|img)|\sstyle=|\son[a-z]+=", article[1])
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]

    def test_its_links_lead_somewhere(self, client: Client, name: str) -> None:
        for link in map(unescape, re.findall(r'<a href="([^"]*)"', read(name).html)):
            if re.match(r"https?:", link):
                continue
            path, _, fragment = link.partition("#")
            html = client.get(path).content.decode() if path else read(name).html
            assert f'id="{fragment}"' in html or (path and not fragment), link


def test_every_trouble_has_its_section_on_the_page(client: Client) -> None:
    page = client.get("/help/troubles/").content.decode()
    for one in ALL:
        assert unescape(page).count(f'<a href="#{one.anchor}">{one.title}</a>') == 1, one.key
        assert page.count(f'<h2 id="{one.anchor}">') == 1, one.key


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for path in ("nothing/", "../README/", "..%2f..%2fREADME/", "manual.md/", "/etc/passwd/", "setup-example/"):
        assert client.get(f"/help/{path}").status_code == 404
    assert client.post("/help/manual/").status_code == 405


class TestForStrangers:
    """Who cannot log in reads it too: that may be what the page is needed for."""

    def test_it_needs_no_log_in_and_leads_back(self, db: None) -> None:
        page = Page.of(Client().get("/help/troubles/").content)
        assert [link.get("href") for link in page.all("//header//a")] == ["/", "/", "/help/"]
        assert not page.has("//form")
        assert not page.has("//script")

    def test_the_files_for_nginx_are_the_same_pages(self, db: None, tmp_path: Path) -> None:
        call_command("build_help", str(tmp_path), stdout=io.StringIO())
        for address in ["", *(f"{name}/" for name in names())]:
            built = (tmp_path / address / "index.html").read_bytes()
            assert built == Client().get(f"/help/{address}").content, address
            assert gzip.decompress((tmp_path / address / "index.html.gz").read_bytes()) == built
        assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == 2 * (1 + len(names()))

    def test_files_that_cannot_be_written_are_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(CommandError, match="could not be written"):
            call_command("build_help", str(tmp_path / "file"))


def test_what_stands_in_a_file_is_text(client: Client, tmp_path, settings) -> None:
    settings.DOCS = tmp_path
    (tmp_path / "manual.md").write_text(
        "# A <b>x</b> & y\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) [b](other.md#c)\n\n"
        "| a |\n|--:|\n| 1 |\n\n## Two words, more\n"
    )
    found = read("manual")
    assert found.title == "A <b>x</b> & y"
    assert "<script" not in found.html
    assert "&lt;script&gt;" in found.html
    assert "javascript:" not in re.sub(r"\[a\]\(javascript:alert\(1\)\)", "", found.html)
    assert '<a href="/help/other/#c">b</a>' in found.html
    assert "style" not in found.html
    assert '<h2 id="two-words-more">' in found.html
    page = client.get("/help/manual/").content.decode()
    assert "<title>A &lt;b&gt;x&lt;/b&gt; &amp; y" in page


def test_a_page_that_was_changed_is_read_again(tmp_path, settings) -> None:
    settings.DOCS = tmp_path
    path = tmp_path / "manual.md"
    for number in (1, 2):
        path.write_text(f"# Title {number}\n")
        os.utime(path, (number, number))
        assert help_text.read("manual").title == f"Title {number}"


def test_the_example_of_a_setup_is_a_setup() -> None:
    setup = parse((settings.DOCS / "setup-example.toml").read_bytes())
    assert len(setup.data_sources) == 3
    assert all(node.restart_ecc and node.restart_router for node in setup.nodes)
