"""Pages of the run log."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from attpcdaq.audit.people import DAQ
from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunFile, RunState
from attpcdaq.runlog.observables import add
from attpcdaq.web import run_page
from tests.runlog.rows import make_experiment, make_run
from tests.web.people import browser, observer, operator

SHEET = "/runs/of/e20009/1/"


@pytest.fixture
def client(db: None) -> Client:
    return browser(operator())


@pytest.fixture
def run(db: None) -> Run:
    experiment = make_experiment()
    add(experiment, DAQ, "Pressure", "number", "torr", "gauge 2")
    add(experiment, DAQ, "Target", "text", "", "")
    configuration = {"ecc-cobo0": {"boards": {"CoBo[0]": "cobo"}, "config": "cobo0 / experiment / experiment"}}
    return make_run(experiment, 1, title="alphas", configuration=configuration)


def text(answer: object) -> str:
    return " ".join(answer.content.decode().split())


PAGES = ["/runs/", "/runs/runs.csv", SHEET, "/runs/experiments/", "/runs/observables/"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_need_a_log_in(run: Run, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("path", ["/runs/", "/runs/experiments/", "/runs/observables/"])
def test_pages_say_what_to_do_when_there_is_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "No experiment yet" in text(answer)


def test_the_sheet_shows_everything_about_a_run(client: Client, run: Run) -> None:
    RunFile.objects.create(
        run=run, kind="data", node="node-cobo0", owner="r", path="/staging/e20009/run_0001/a.graw", size=5
    )
    run.commands.create(
        action="start", state="done", message="All boards run.", requested_by="kim", requested_at=run.requested_at,
        expires_at=run.requested_at,
        published_at=run.requested_at,
    )  # fmt: skip
    page = text(client.get(SHEET))
    for expected in ("e20009/run_0001/", "node-cobo0: /staging/e20009/run_0001/", "a.graw", "All boards run."):
        assert expected in page
    assert "CoBo[0]" in page
    assert "cobo0 / experiment / experiment" in page


@pytest.mark.parametrize("name", run_page.PARTS)
def test_each_part_is_fetched_by_itself(client: Client, run: Run, name: str) -> None:
    panel = text(client.get(SHEET, {"panels": f"{name},nothing"}))
    assert re.findall('data-panel="([a-z-]+)"', panel)[0] == name
    assert "<html" not in panel
    assert panel in text(client.get(SHEET)) or "data-duration" in panel


def test_what_happened_during_the_run_is_there(client: Client, run: Run) -> None:
    for at, subject, words in (
        (run.requested_at, "ecc-cobo0", "its HV tripped"),
        (run.closed_at + timedelta(minutes=5), "e20009 run 1", "the sheet was written"),
        (run.closed_at + timedelta(minutes=5), "ecc-cobo0", "long after the run"),
        (run.requested_at, "router-cobo0", ""),
    ):
        add_event("ecc", words, subject=subject, severity="error", at=at)
    page = text(client.get(SHEET, {"panels": "run-events"}))
    assert "its HV tripped" in page
    assert "the sheet was written" in page
    assert "long after" not in page
    assert "The latest" not in page
    for second in range(30):
        add_event("ecc", f"event {second}", at=run.requested_at + timedelta(seconds=second))
    page = text(client.get(SHEET, {"panels": "run-events"}))
    assert "The latest 20" in page
    assert "event 29" in page
    assert "event 5<" not in page


def test_a_run_is_found_by_the_directory_that_was_its_experiments_name(client: Client, run: Run) -> None:
    Experiment.objects.update(name="e20009b", directory="e20009")
    for path in (SHEET, f"{SHEET}rates", f"{SHEET}configuration/", "/runs/?experiment=e20009"):
        assert client.get(path).status_code == 200
    assert "e20009b run 1" in text(client.get(SHEET))


@pytest.mark.parametrize(
    "path", ["/runs/of/e20009/2/", "/runs/of/x/1/", "/runs/of/%00/1/", f"/runs/of/e20009/{10**30}/"]
)
def test_a_run_that_is_not_there(client: Client, run: Run, path: str) -> None:
    assert client.get(path).status_code == 404


def posted(run: Run, **changed: str) -> dict[str, str]:
    """What a browser sends: every field with what it was."""
    run.refresh_from_db()
    values = {"title": run.title, "run_class": run.run_class, "notes": run.notes}
    stored = dict(run.measurements.values_list("observable__name", "value"))
    names = {observable.name: f"observable-{observable.pk}" for observable in Observable.objects.all()}
    values |= {key: stored.get(name, "") for name, key in names.items()}
    was = {f"was-{key}": value for key, value in values.items()}
    return values | was | {names.get(key, key): value for key, value in changed.items()}


def test_the_sheet_says_without_whom_and_how_it_began(client: Client, run: Run) -> None:
    assert "Without" not in text(client.get(SHEET))
    excluded = {"ecc-cobo1": {"reason": "its HV trips", "by": "kim", "included_by": "jo"}}
    Run.objects.filter(pk=run.pk).update(excluded=excluded, adopted=True)
    page = text(client.get(SHEET))
    for expected in ("ecc-cobo1", "its HV trips", "included again by jo", "Its boards were found Running"):
        assert expected in page


def test_the_sheet_is_saved(client: Client, run: Run) -> None:
    answer = client.post(SHEET, posted(run, title="betas", run_class="beam", Pressure="1e-3"), follow=True)
    assert "The run sheet was saved." in text(answer)
    run.refresh_from_db()
    assert (run.title, run.run_class) == ("betas", "beam")
    assert [str(each) for each in run.measurements.all()] == ["Pressure = 1e-3"]
    assert "There was nothing to save." in text(client.post(SHEET, posted(run), follow=True))


def test_a_wrong_value_is_marked_and_nothing_is_saved(client: Client, run: Run) -> None:
    answer = client.post(SHEET, posted(run, title="betas", Pressure="1,5"))
    assert answer.status_code == 400
    page = text(answer)
    assert "Pressure [torr]: &#x27;1,5&#x27; is not a number with a decimal point" in page
    assert 'value="1,5"' in page
    assert 'value="betas"' in page
    assert 'name="was-title" value="alphas"' in page
    run.refresh_from_db()
    assert run.title == "alphas"


def test_two_writers_of_different_fields_both_win(client: Client, run: Run) -> None:
    first, second = posted(run, Pressure="3"), posted(run, Target="CD2", title="betas")
    client.post(SHEET, first)
    client.post(SHEET, second)
    assert {str(each) for each in run.measurements.all()} == {"Pressure = 3", "Target = CD2"}


def test_of_two_writers_of_one_field_the_second_decides_knowingly(client: Client, run: Run) -> None:
    first, second = posted(run, Pressure="3"), posted(run, Pressure="4", Target="CD2")
    client.post(SHEET, first)
    answer = client.post(SHEET, second)
    assert answer.status_code == 409
    page = text(answer)
    assert "somebody else wrote &#x27;3&#x27; meanwhile" in page
    assert 'value="4"' in page
    key = Observable.objects.get(name="Pressure").pk
    assert f'name="was-observable-{key}" value="3"' in page
    client.post(SHEET, second | {f"was-observable-{key}": "3"})
    assert {str(each) for each in run.measurements.all()} == {"Pressure = 4", "Target = CD2"}


def test_empty_fields_are_filled_from_the_previous_run(client: Client, run: Run) -> None:
    client.post(SHEET, posted(run, Pressure="3", Target="CD2"))
    second = make_run(run.experiment, 2)
    page = client.post("/runs/of/e20009/2/", {"same": "all"}, follow=True)
    assert "Taken from the previous run: Pressure, Target." in text(page)
    assert second.measurements.count() == 2
    page = client.post("/runs/of/e20009/2/", {"same": "all"}, follow=True)
    assert "Nothing to take" in text(page)


CHANGES = [
    (SHEET, {"title": "x", "was-title": "alphas"}),
    (SHEET, {"same": "all"}),
    ("/runs/experiments/", {"name": "new"}),
    ("/runs/experiments/activate", {"name": "e20009"}),
    ("/runs/observables/", {"name": "x", "value_type": "text"}),
]


@pytest.mark.parametrize(("path", "data"), CHANGES)
def test_an_observer_reads_and_changes_nothing(run: Run, path: str, data: dict[str, str]) -> None:
    client = browser(observer())
    answer = client.post(path, data)
    assert answer.status_code == 403
    assert "observer" in text(answer)
    run.refresh_from_db()
    assert run.title == "alphas"
    assert Experiment.objects.count() == 1
    assert Observable.objects.count() == 2
    assert "Save the run sheet" not in text(client.get(SHEET))


def test_experiments_are_made_and_activated(client: Client) -> None:
    client.post("/runs/experiments/", {"name": "e20009"})
    assert Experiment.objects.get().is_active is False
    page = text(client.post("/runs/experiments/activate", {"name": "e20009"}, follow=True))
    assert "Experiment e20009 is active" in page
    assert Experiment.objects.get().is_active


@pytest.mark.parametrize("name", ["../x", "..", ".", "a b", " a", "a\n", "a" * 65, "a" * 201, "", "é", "a\x00"])
def test_names_that_are_no_directory_are_refused(client: Client, name: str) -> None:
    answer = client.post("/runs/experiments/", {"name": name})
    assert answer.status_code == 400
    assert "errorlist" in text(answer)
    assert not Experiment.objects.exists()


def test_no_other_experiment_while_a_run_is_open(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
    make_experiment("second", is_active=False)
    assert "another experiment can be made active when it is closed" in text(client.get("/runs/experiments/"))
    answer = client.post("/runs/experiments/activate", {"name": "second"})
    assert answer.status_code == 409
    assert "e20009 run 1 is running" in text(answer)
    assert Experiment.objects.get(is_active=True).name == "e20009"


def test_observables_are_added_changed_moved_and_removed(client: Client, run: Run) -> None:
    client.post("/runs/observables/", {"name": "Gas", "value_type": "text", "unit": "", "comment": ""})
    first, second, third = Observable.objects.all()
    assert third.name == "Gas"
    client.post(f"/runs/observables/{third.pk}/move", {"direction": "up"})
    client.post(f"/runs/observables/{first.pk}/move", {"direction": "up"})
    assert list(Observable.objects.all()) == [first, third, second]
    client.post(
        f"/runs/observables/{third.pk}/", {"name": "Gas mix", "value_type": "text", "unit": "%", "comment": "c"}
    )
    third.refresh_from_db()
    assert (third.name, third.unit) == ("Gas mix", "%")
    client.post(f"/runs/observables/{third.pk}/remove")
    assert list(Observable.objects.all()) == [first, second]


def test_observables_in_use_keep_their_type_and_stay(client: Client, run: Run) -> None:
    target = Observable.objects.get(name="Target")
    Measurement.objects.create(run=run, observable=target, value="CD2")
    path = f"/runs/observables/{target.pk}/"
    answer = client.post(path, {"name": "Target", "value_type": "number", "unit": "", "comment": ""})
    assert answer.status_code == 400
    assert "Recorded values are not a number with a decimal point" in text(answer)
    assert "run 1: CD2" in text(answer)
    assert client.post(path + "remove").status_code == 409
    target.refresh_from_db()
    assert target.value_type == "text"


@pytest.mark.parametrize("name", ["Pressure", "pressure", "", "a\nb", "x" * 64])
def test_observables_need_a_name_of_their_own(client: Client, run: Run, name: str) -> None:
    answer = client.post("/runs/observables/", {"name": name, "value_type": "text", "unit": "", "comment": ""})
    assert answer.status_code == 400
    assert "errorlist" in text(answer)
    assert Observable.objects.count() == 2
