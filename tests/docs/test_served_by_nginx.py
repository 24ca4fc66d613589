"""The manual behind nginx, with nobody else there: help is needed most when nothing answers."""

import gzip
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from string import Template

import pytest

from tests.docs.building import ROOT, Manual
from tests.services.nginx import framed, running_nginx
from tests.services.processes import LOOPBACK, free_port

DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def nginx(manual: Manual, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; `web` and `events` are away."""
    directory: Path = tmp_path_factory.mktemp("nginx")
    shutil.copytree(manual.root, directory / "help")
    for folder in (directory, *directory.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    away = f"{LOOPBACK}:{free_port()}"
    filled = {
        "ATTPCDAQ_LISTEN": f"{LOOPBACK}:@PORT@",
        "ATTPCDAQ_WEB": away,
        "ATTPCDAQ_EVENTS": away,
        "ATTPCDAQ_STATIC": str(directory),
        "ATTPCDAQ_HELP": str(directory / "help"),
        "ATTPCDAQ_NGINX": str(DEPLOY / "nginx"),
    }
    template = Template((DEPLOY / "nginx.conf.template").read_text())
    with running_nginx(framed(template.safe_substitute(filled))) as nginx:
        yield nginx.url


def get(url: str, **headers: str) -> HTTPResponse:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=10)
    return answer


@pytest.mark.parametrize("address", ["", "troubles/", "adr/", "adr/0034-static-files-help-and-first-log-in/"])
def test_pages_with_the_policy_of_all_pages(nginx: str, manual: Manual, address: str) -> None:
    answer = get(f"{nginx}/help/{address}")
    assert answer.read() == (manual.root / address / "index.html").read_bytes()
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["searchindex.js", "_static/manual.css", "troubles/"])
def test_the_compressed_twin_is_sent(nginx: str, manual: Manual, name: str) -> None:
    answer = get(f"{nginx}/help/{name}", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    twin = (manual.root / f"{name}{'index.html' if name.endswith('/') else ''}.gz").read_bytes()
    sent = answer.read()
    assert sent == twin
    assert gzip.decompress(sent) == get(f"{nginx}/help/{name}").read()


def test_the_slash_may_be_forgotten(nginx: str) -> None:
    assert get(f"{nginx}/help/troubles").url == f"{nginx}/help/troubles/"


def test_what_did_not_change_is_not_sent_again(nginx: str) -> None:
    mark = get(f"{nginx}/help/troubles/").headers["ETag"]
    with pytest.raises(urllib.error.HTTPError) as told:
        get(f"{nginx}/help/troubles/", If_None_Match=mark)
    assert told.value.code == 304


def test_what_is_not_there_is_left_to_the_pages_of_the_daq(nginx: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as told:
        get(f"{nginx}/help/nothing/")
    # They would say 404 in their own words; here nobody is at home.
    assert told.value.code == 502
