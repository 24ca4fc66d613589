"""Static files for nginx: hashed names that everything links to, and compressed twins."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.templatetags.static import static

from tests.web.drawn import drawn
from tests.web.hashed import collect_static, hash_names, manage_files
from tests.web.page import Page
from tests.web.people import expert
from tests.web.situations import situations

HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collect_static(tmp_path_factory.mktemp("static"))


def linked(content: bytes) -> list[str]:
    page = Page.of(content)
    return [str(part.get("href") or part.get("src")) for part in page.all("//link | //script")]


def test_pages_link_to_hashed_names_that_are_there(db: None, collected: Path, settings: Any) -> None:
    hash_names(settings, collected)
    addresses = linked(drawn(situations()["running"], expert()).encode())
    assert {Path(address).name.split(".")[0] for address in addresses} == {"icon", "daq", "status", "htmx-2", "live"}
    for address in addresses:
        assert HASHED.search(address), address
        assert (collected / address.removeprefix("/static/")).is_file(), address


def test_scripts_import_hashed_names_that_are_there(collected: Path) -> None:
    scripts = [path for path in (collected / "attpcdaq/js").glob("*.js") if HASHED.search(path.name)]
    imported = {name for path in scripts for name in re.findall(r"from \"\./([^\"]+)\"", path.read_text())}
    assert {name.split(".")[0] for name in imported} == {"clock", "panels", "stream", "morph"}
    assert all(HASHED.search(name) and (collected / "attpcdaq/js" / name).is_file() for name in imported)


def test_each_text_has_its_compressed_twin(collected: Path) -> None:
    files = [path for path in collected.rglob("*.*") if path.suffix in (".css", ".js", ".svg")]
    twins = [path for path in files if path.with_name(f"{path.name}.gz").is_file()]
    assert {path.name.split(".")[0] for path in twins} >= {"daq", "status", "live", "panels", "htmx-2"}
    for path in twins:
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()


def test_another_content_has_another_name(collected: Path) -> None:
    names = json.loads((collected / "staticfiles.json").read_text())["paths"]
    hashes = [HASHED.search(name) for name in names.values()]
    assert all(hashes)
    assert len(names) == len(set(names.values()))


def test_a_file_that_is_not_known_is_linked_as_it_is(collected: Path, settings: Any) -> None:
    hash_names(settings, collected)
    assert static("attpcdaq/newer.css") == "/static/attpcdaq/newer.css"


def test_without_a_directory_for_them_nothing_is_collected() -> None:
    done = manage_files("collectstatic", "--no-input")
    assert done.returncode == 2
    assert done.stderr.startswith("attpcdaq: ATTPCDAQ_STATIC_ROOT is missing")
    assert len(done.stderr.splitlines()) == 1
