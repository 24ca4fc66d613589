"""The run list: found, sorted, paged, counted, saved."""

import csv
import html
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from attpcdaq.audit.people import DAQ
from attpcdaq.runlog import run_files
from attpcdaq.runlog.models import Manifest, Measurement, Observable, Run
from attpcdaq.runlog.observables import add
from tests.runlog.rows import make_experiment, make_run
from tests.web.people import browser, operator


def text(answer: object) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def client(db: None) -> Client:
    return browser(operator())


@pytest.fixture
def run(db: None) -> Run:
    experiment = make_experiment()
    add(experiment, DAQ, "Pressure", "number", "torr", "gauge 2")
    return make_run(experiment, 1, title="alphas")


def test_the_list_shows_runs_and_what_they_add_up_to(client: Client, run: Run) -> None:
    run_files.note(run.pk, "n", "r", "data", [("/a", 1_500_000)])
    make_run(run.experiment, 2, run_class="beam", verdict="CoBo[3] was silent")
    page = text(client.get("/runs/"))
    assert page.index("Run 2") < page.index("Run 1")
    assert 'id="beam-time">2:00:00' in page
    assert "Testing 1:00:00 in 1 run · Beam 1:00:00 in 1 run" in page
    assert "1.50 MB" in page
    assert "CoBo[3] was silent" in page


def test_files_of_an_open_run_are_not_yet_counted(client: Client, run: Run) -> None:
    make_run(run.experiment, 2, state="running", stopped_at=None)
    rows = re.findall(r"<tr.*?</tr>", text(client.get("/runs/")))
    assert [re.findall(r'data-label="(?:Files|Size)">([^<]*)<', row) for row in rows[1:]] == [["–", "–"], ["0", "0 B"]]
    run_files.note(Run.objects.get(number=2).pk, "n", "r", "data", [("/a", 1000)])
    assert 'data-label="Files">1<' in text(client.get("/runs/"))


def test_the_list_is_filtered_and_paged(client: Client, run: Run) -> None:
    for number in range(2, 60):
        make_run(run.experiment, number, run_class="beam")
    assert "Page 1 of 2" in text(client.get("/runs/?run_class=beam"))
    last = text(client.get("/runs/?run_class=beam&page=2"))
    assert "Run 2<" in last
    assert "Run 1<" not in last
    assert "run_class=beam&amp;page=1" in last
    assert "Run 1<" in text(client.get("/runs/?text=alpha"))
    assert "No run fits" in text(client.get("/runs/?text=nothing"))


def test_fifty_runs_ask_the_database_no_more_than_one(client: Client, run: Run) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/runs/?sort=-data")
        return len(queries)

    asked()
    few = asked()
    for number in range(2, 50):
        made = make_run(run.experiment, number, operator=operator("jo"))
        Manifest.objects.create(run=made, verdict="complete", asked_at=made.requested_at)
        run_files.note(made.pk, "n", "r", "data", [("/a", number)])
    assert asked() <= few + 1, "one more for what the sheets lack"


def test_a_column_sorts_one_way_and_the_other(client: Client, run: Run) -> None:
    for number, title in ((2, "betas"), (3, "gammas")):
        make_run(run.experiment, number, title=title)

    def shown(query: str) -> tuple[list[str], str]:
        page = text(client.get(f"/runs/?{query}"))
        link = re.search('<th scope="col"(?: aria-sort="[a-z]+")?><a href="([^"]+)">Title', page)
        return re.findall("Run ([0-9]+)</a>", page), html.unescape(link[1]) if link else ""

    numbers, address = shown("text=a")
    assert (numbers, address) == (["3", "2", "1"], "/runs/?experiment=e20009&text=a&sort=title")
    numbers, address = shown(address.partition("?")[2])
    assert (numbers, address) == (["1", "2", "3"], "/runs/?experiment=e20009&text=a&sort=-title")
    assert shown(address.partition("?")[2])[0] == ["3", "2", "1"]
    assert 'aria-sort="descending"><a href="/runs/?experiment=e20009&amp;text=a&amp;sort=title">Title' in text(
        client.get(address)
    )


WRONG = [
    ("state=x", "State: Select a valid choice. x is not one"),
    ("text=%00", "Null characters"),
    ("since=22.11.2026", "Give a day as 2026-11-22."),
    ("since=2026-11-22&until=2026-11-21", "To: It must not be before 2026-11-22."),
    ("sort=colour", "The list can be sorted by run, -run, state"),
]


@pytest.mark.parametrize(("query", "said"), WRONG)
def test_what_is_wrong_of_a_filter_is_said_and_nothing_is_listed(
    client: Client, run: Run, query: str, said: str
) -> None:
    for path in ("/runs/", "/runs/runs.csv", "/runs/runs.xlsx", "/runs/runs.json"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert said.partition(": ")[2 if path == "/runs/" else 0] in text(answer) or said in text(answer)
        assert "alphas" not in text(answer)


def test_another_experiment_may_be_looked_at(client: Client, run: Run) -> None:
    make_run(make_experiment("older", is_active=False), 7)
    assert "Run 7<" in text(client.get("/runs/?experiment=older"))
    for name in ("nothing", "%00", "../x"):
        assert client.get(f"/runs/?experiment={name}").status_code == 404
        assert client.get(f"/runs/runs.csv?experiment={name}").status_code == 404


def test_the_list_as_csv(client: Client, run: Run) -> None:
    make_run(run.experiment, 2, run_class="beam")
    Measurement.objects.create(run=run, observable=Observable.objects.first(), value="3")
    answer = client.get("/runs/runs.csv?run_class=testing")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="e20009_runs.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(line["run"], line["Pressure [torr]"]) for line in lines] == [("1", "3")]
