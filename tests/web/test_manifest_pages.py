"""Pages and API that say whether a run's data are complete, and why not."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Manifest, Run, RunFile
from attpcdaq.web import tokens
from tests.runlog.rows import KIM, make_experiment, make_run
from tests.web.people import browser, observer, operator

SHEET = "/runs/of/e20009/1/"
API = "/api/v1/runs/e20009/1/manifest"
SOURCE = {
    "source": "CoBo0_AsAd0",
    "nodes": ["node-cobo0"],
    "routers": ["router-cobo0"],
    "files": 2,
    "bytes": 150,
    "frames": 90,
    "events": 90,
    "first_event": 0,
    "last_event": 99,
    "first_time": 100_000_000,
    "last_time": 1_100_000_000,
    "longest_step": 5,
    "gaps": 10,
    "gap_ranges": [[20, 29]],
    "missing": 10,
    "missing_ranges": [[20, 29]],
    "behind": 0,
    "twice": 0,
}


@pytest.fixture
def client(db: None) -> Client:
    return browser(operator())


@pytest.fixture
def run(db: None) -> Run:
    """Closed, with two data files of which one was read."""
    run = make_run(make_experiment(), 1)
    common: dict[str, Any] = {"run": run, "kind": "data", "node": "node-cobo0", "owner": "router-cobo0"}
    RunFile.objects.create(
        **common,
        path="/staging/e20009/run_0001/a.graw",
        name="a.graw",
        size=100,
        sha256="ab" * 32,
        frames=7,
        first_event=3,
        last_event=9,
        scan={"size": 100, "tail": "truncated", "tail_text": "at byte 90: 5 bytes are missing"},
        scanned_at=timezone.now(),
    )
    RunFile.objects.create(
        **common, path="/staging/e20009/run_0001/b_late1.graw", name="b.graw", size=50, proof="Events 10 to 12 <go on>."
    )
    return run


@pytest.fixture
def made(run: Run) -> Run:
    reasons = [
        {"level": "incomplete", "text": "a.graw: truncated at byte 90"},
        {"level": "remarks", "text": "<b>late</b>"},
    ]
    Manifest.objects.create(
        run=run,
        asked_at=timezone.now(),
        made_at=timezone.now(),
        verdict="incomplete",
        reasons=reasons,
        sources=[SOURCE],
        written={"node-cobo0": {"paths": [], "problem": "no route to host"}},
    )
    return run


def text(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


class TestSheet:
    def test_says_the_verdict_and_every_reason(self, client: Client, made: Run) -> None:
        page = text(client.get(SHEET))
        assert 'data-level="bad" data-verdict="incomplete">Incomplete' in page
        assert '<li data-level="bad">a.graw: truncated at byte 90</li>' in page
        assert '<li data-level="off">&lt;b&gt;late&lt;/b&gt;</li>' in page
        assert "node-cobo0: the manifest was not written beside the data. no route to host" in page
        assert '<td class="num" data-label="Missing">10</td>' in page
        assert "1.000" in page
        assert "11.000" in page

    def test_shows_files_with_what_is_in_them(self, client: Client, made: Run) -> None:
        page = text(client.get(SHEET))
        assert "node-cobo0: /staging/e20009/run_0001/" in page
        assert f'title="{"ab" * 32}">abababababab<' in page
        assert "truncated at byte 90: 5 bytes are missing" in page
        assert "came late, as b.graw" in page
        assert "Events 10 to 12 &lt;go on&gt;." in page
        assert "1 of them not as it should be" in page

    def test_shows_how_far_the_check_is(self, client: Client, run: Run) -> None:
        manifests.ask(run.pk, timezone.now())
        page = text(client.get(SHEET))
        assert 'data-level="busy" data-verdict="checking">Being checked' in page
        assert "1 of 2 files read, 100 B of 150 B." in page
        assert '<progress max="150" value="100"' in page
        assert "Read all files again" not in page

    def test_says_nothing_of_a_run_that_is_not_checked(self, client: Client, run: Run) -> None:
        page = text(client.get(SHEET))
        assert "This run's files were never checked." in page.replace("&#x27;", "'")
        assert 'id="run-manifest"' in page  # there it comes when the run is closed
        assert "Manifest as JSON" not in page

    def test_is_fetched_again_in_parts(self, client: Client, made: Run) -> None:
        page = text(client.get(f"{SHEET}?panels="))
        assert 'id="run-manifest"' in page
        assert "Read all files again" in page

    def test_of_very_many_files_some_are_shown_at_first(self, client: Client, run: Run) -> None:
        RunFile.objects.bulk_create(
            RunFile(
                run=run,
                kind="data",
                node="node-cobo0",
                owner="r",
                path=f"/staging/A/{n}.graw",
                size=1,
                frames=1,
                scan={"size": 1, "tail": ""},
            )
            for n in range(500)
        )
        page = text(client.get(SHEET))
        assert "Show all 502 files" in page
        assert "truncated at byte 90" in page  # those that are not as they should be come first
        assert page.count(".graw") < 120
        whole = text(client.get(f"{SHEET}?files=all"))
        assert whole.count(".graw") >= 502
        assert f'data-source="{SHEET}?files=all"' in whole


class TestElsewhere:
    def test_the_list_shows_the_verdict(self, client: Client, made: Run) -> None:
        make_run(made.experiment, 2)
        page = text(client.get("/runs/"))
        assert page.count("data-verdict=") == 1
        assert "Incomplete" in page

    def test_the_status_page_shows_that_of_the_last_run(self, client: Client, made: Run) -> None:
        assert 'id="last-run-verdict" data-level="bad">Incomplete' in text(client.get("/"))

    def test_the_list_asks_no_more_of_the_database_for_more_runs(
        self, client: Client, made: Run, django_assert_max_num_queries
    ) -> None:
        for number in range(2, 30):
            run = make_run(made.experiment, number)
            Manifest.objects.create(run=run, asked_at=timezone.now(), verdict="complete")
        with django_assert_max_num_queries(20):
            client.get("/runs/")


class TestJson:
    def test_is_what_lies_beside_the_data(self, client: Client, made: Run) -> None:
        answer = client.get(f"{SHEET}manifest.json")
        assert 'filename="e20009_run_0001_manifest.json"' in answer.headers["Content-Disposition"]
        whole = json.loads(answer.content)
        assert (whole["format"], whole["version"], whole["verdict"]) == ("attpcdaq manifest", 1, "incomplete")
        assert whole["sources"] == [SOURCE]
        first, late = whole["files"]
        assert (first["sha256"], first["first_event"], first["last_event"]) == ("ab" * 32, 3, 9)
        assert (late["was"], late["proof"]) == ("b.graw", "Events 10 to 12 <go on>.")

    def test_there_is_none_before_the_run_is_closed(self, client: Client, run: Run) -> None:
        assert client.get(f"{SHEET}manifest.json").status_code == 404

    def test_of_no_such_run(self, client: Client, made: Run) -> None:
        assert client.get("/runs/of/e20009/9/manifest.json").status_code == 404


class TestCheckAgain:
    def test_everything_is_read_again(self, client: Client, made: Run) -> None:
        assert client.post(f"{SHEET}check").status_code == 302
        assert Manifest.objects.get().made_at is None
        assert not RunFile.objects.exclude(scanned_at=None).exists()
        entry = Entry.objects.first()
        assert entry is not None
        assert (entry.what, entry.outcome, entry.subject) == ("check files", "accepted", "e20009 run 1")

    def test_not_twice_at_once(self, client: Client, made: Run) -> None:
        client.post(f"{SHEET}check")
        answer = client.post(f"{SHEET}check")
        assert answer.status_code == 409
        assert "are being checked already" in text(answer)

    def test_not_of_a_run_that_is_open_or_has_no_files(self, client: Client, run: Run) -> None:
        Run.objects.update(state="running")
        assert "is open: its files are checked after it is closed" in text(client.post(f"{SHEET}check"))
        Run.objects.update(state="closed")
        RunFile.objects.all().delete()
        assert "No data file belongs to run 1" in text(client.post(f"{SHEET}check"))

    def test_not_by_an_observer(self, made: Run) -> None:
        assert browser(observer()).post(f"{SHEET}check").status_code == 403
        assert Manifest.objects.get().made_at is not None
        assert "Read all files again" not in text(browser(observer("lee")).get(SHEET))


class TestApi:
    @pytest.fixture
    def headers(self, db: None) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.create('analysis', operator('ann'), KIM)}"}

    def test_gives_the_manifest_and_how_far_it_is(self, made: Run, headers: dict[str, str]) -> None:
        answer = Client().get(API, headers=headers)
        assert answer.status_code == 200
        whole = answer.json()
        assert (whole["run"], whole["verdict"], whole["sources"]) == (1, "incomplete", [SOURCE])
        assert whole["progress"] == {"files": 1, "of_files": 2, "bytes": 100, "of_bytes": 150}
        assert whole["reasons"][0] == {"level": "incomplete", "text": "a.graw: truncated at byte 90"}

    @pytest.mark.parametrize("path", [API, "/api/v1/runs/e20009/9/manifest", "/api/v1/runs/none/1/manifest"])
    def test_says_what_there_is_not(self, run: Run, headers: dict[str, str], path: str) -> None:
        answer = Client().get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["detail"]

    def test_the_status_has_what_the_last_runs_sheet_lacks(self, made: Run, headers: dict[str, str]) -> None:
        made.experiment.observables.create(name="Pressure", required=True)
        assert Client().get("/api/v1/status", headers=headers).json()["last_run"]["sheet_lacks"] == ["Pressure"]

    def test_the_status_has_the_last_runs_verdict(self, made: Run, headers: dict[str, str]) -> None:
        assert Client().get("/api/v1/status", headers=headers).json()["last_run"]["data_verdict"] == "incomplete"
