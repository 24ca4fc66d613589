"""Run sheets, observables, measurements and experiments as pages."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunState
from attpcdaq.runlog.observables import add, in_use, retire
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.runlog.sheet_rows import key, running_run
from tests.web.people import browser, observer, operator

pytestmark = pytest.mark.django_db
SHEET = "/runs/of/e20009/1/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def client() -> Client:
    return browser(operator("kim"))


@pytest.fixture
def run() -> Run:
    return running_run()


def names(experiment: Experiment) -> list[str]:
    return list(in_use(experiment).values_list("name", flat=True))


def wrote(run: Run) -> dict[str, str]:
    return dict(run.measurements.values_list("observable__name", "value"))


def test_fields_say_what_they_take(client: Client, run: Run) -> None:
    page = text(client.get(SHEET))
    assert "at the outlet · 0 to 800 torr" in page
    assert 'inputmode="decimal"' in page
    # A keyboard with a minus: those for figures have none on some phones.
    assert f'id="id_{key("Field")}" name="{key("Field")}" value="" inputmode="text"' in page
    assert page.count('class="required"') == 1


def test_a_sheet_without_a_required_value_is_saved_and_says_so(client: Client, run: Run) -> None:
    answer = client.post(SHEET, {"title": "alphas", "was-title": ""}, follow=True)
    assert "The run sheet was saved. Still to fill in: Pressure." in text(answer)
    assert "Sheet incomplete" in text(answer)
    answer = client.post(SHEET, {key("Pressure"): "3", f"was-{key('Pressure')}": ""}, follow=True)
    assert "Sheet complete" in text(answer)
    assert "Sheet incomplete" not in text(answer)


def test_a_value_outside_is_refused_with_the_limits_and_stays_in_the_field(client: Client, run: Run) -> None:
    pressure = key("Pressure")
    answer = client.post(SHEET, {"title": "alphas", "was-title": "", pressure: "801", f"was-{pressure}": ""})
    assert answer.status_code == 400
    page = text(answer)
    assert f'<a href="#id_{pressure}">Pressure [torr]: 801 is not allowed: it must be 0 to 800 torr.</a>' in page
    assert 'value="801"' in page
    assert "data-refused" in page
    assert wrote(run) == {}
    assert Entry.objects.all()[0].text == "Pressure [torr]: 801 is not allowed: it must be 0 to 800 torr."


def test_the_previous_value_is_offered_and_taken_with_what_was_typed(client: Client, run: Run) -> None:
    Measurement.objects.create(run=run, observable=Observable.objects.get(name="Pressure"), value="3.50")
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=NOON)
    second = make_run(run.experiment, 2)
    assert "As in run 1: 3.50" in text(client.get("/runs/of/e20009/2/"))
    data = {
        "same": key("Pressure"),
        "title": "betas",
        "was-title": "",
        key("Target"): "CD2",
        f"was-{key('Target')}": "",
    }
    page = text(client.post("/runs/of/e20009/2/", data, follow=True))
    assert "Taken from the previous run: Pressure." in page
    second.refresh_from_db()
    assert (second.title, wrote(second)) == ("betas", {"Pressure": "3.50", "Target": "CD2"})
    assert "Run 1: 3.50" in page
    assert "As in run 1" not in page


def test_a_previous_value_that_is_not_allowed_any_more_is_not_offered(client: Client, run: Run) -> None:
    Measurement.objects.create(run=run, observable=Observable.objects.get(name="Pressure"), value="801")
    make_run(Experiment.objects.get(), 2)
    assert "As in run 1" not in text(client.get("/runs/of/e20009/2/"))
    assert "Fill empty fields" not in text(client.get("/runs/of/e20009/2/"))


def test_who_takes_the_previous_value_while_somebody_writes_is_told(client: Client, run: Run) -> None:
    pressure = Observable.objects.get(name="Pressure")
    Measurement.objects.create(run=run, observable=pressure, value="3.50")
    Measurement.objects.create(run=make_run(run.experiment, 2), observable=pressure, value="7")
    click = {"same": key("Pressure"), key("Pressure"): "", f"was-{key('Pressure')}": ""}
    answer = client.post("/runs/of/e20009/2/", click)
    assert answer.status_code == 409
    assert "Pressure: somebody else wrote &#x27;7&#x27; meanwhile" in text(answer)
    # "Save again to replace it" does what it says.
    assert f'name="{key("Pressure")}" value="3.50"' in text(answer)
    assert f'name="was-{key("Pressure")}" value="7"' in text(answer)


def test_nothing_that_was_written_is_lost_when_observables_go_meanwhile(client: Client, run: Run) -> None:
    target, field = key("Target"), key("Field")
    Observable.objects.get(name="Target").delete()
    retire(Observable.objects.get(name="Field"), DAQ)
    sent = {target: "CD2", f"was-{target}": "", field: "-20", f"was-{field}": ""}
    answer = client.post(SHEET, sent)
    assert answer.status_code == 400
    assert "not part of the run sheet any more. You wrote: CD2" in text(answer)
    assert f'name="{field}" value="-20"' in text(answer)


def test_the_history_shows_who_wrote_what_and_what_came_late(client: Client, run: Run) -> None:
    client.post(SHEET, {"notes": "<b>trip</b>", "was-notes": ""})
    assert "after the run" not in text(client.get(SHEET))
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=NOON)
    client.post(SHEET, {key("Pressure"): "3", f"was-{key('Pressure')}": ""})
    panel = text(client.get(SHEET, {"panels": "sheet-history"}))
    assert "2 changes" in panel
    assert panel.count("after the run") == 1
    assert "&lt;b&gt;trip&lt;/b&gt;" in panel
    assert "<b>trip" not in panel


def test_a_retired_one_is_asked_for_only_where_it_has_a_value(client: Client, run: Run) -> None:
    Measurement.objects.create(run=run, observable=Observable.objects.get(name="Target"), value="CD2")
    make_run(run.experiment, 2)
    retire(Observable.objects.get(name="Target"), DAQ)
    assert "retired: not asked for any more" in text(client.get(SHEET))
    assert key("Target") not in text(client.get("/runs/of/e20009/2/"))


def test_observables_are_put_in_order_by_their_ids(client: Client, run: Run) -> None:
    first, second, third = Observable.objects.all()
    address = "/runs/observables/order?experiment=e20009"
    answer = client.post(address, {"order": f"{third.pk},{first.pk}"}, headers={"HX-Request": "true"})
    assert 'id="observables-panel"' in text(answer)
    assert "<html" not in text(answer)
    assert names(run.experiment) == ["Target", "Pressure", "Field"]
    for wrong in ("", "1,x", "1;2", "٣"):
        assert client.post(address, {"order": wrong}).status_code == 400
    assert client.post(f"/runs/observables/{second.pk}/move", {"direction": "up"}).status_code == 302
    assert names(run.experiment) == ["Target", "Field", "Pressure"]


def test_observables_are_retired_and_brought_back(client: Client, run: Run) -> None:
    pk = Observable.objects.get(name="Field").pk
    page = text(client.post(f"/runs/observables/{pk}/retire", follow=True))
    assert "Field is not asked for any more; its values stay." in page
    assert names(run.experiment) == ["Pressure", "Target"]
    assert client.post(f"/runs/observables/{pk}/retire").status_code == 409
    client.post(f"/runs/observables/{pk}/bring-back")
    assert names(run.experiment) == ["Pressure", "Target", "Field"]
    assert client.post(f"/runs/observables/{pk}/bring-back").status_code == 409


def test_observables_are_copied_from_another_experiment(client: Client, run: Run) -> None:
    other = make_experiment("e20010", is_active=False)
    add(other, DAQ, "target", "text", "", "")
    address = "/runs/observables/copy?experiment=e20010"
    page = text(client.post(address, {"source": "e20009"}, follow=True))
    assert "Copied from e20009: Pressure, Field. There already: Target." in page
    for wrong in ("", "x", "e20010", "\0"):
        assert client.post(address, {"source": wrong}).status_code == 400


OBSERVABLE = {"name": "Pressure", "value_type": "number", "unit": "torr", "comment": ""}


def test_limits_that_make_no_sense_are_refused_at_their_field(client: Client, run: Run) -> None:
    path = f"/runs/observables/{Observable.objects.get(name='Pressure').pk}/"
    answer = client.post(path, OBSERVABLE | {"minimum": "5", "maximum": "1"})
    assert answer.status_code == 400
    assert "It must not be below the minimum, 5." in text(answer)
    answer = client.post(path, OBSERVABLE | {"value_type": "text", "minimum": "5"})
    assert "A text has no limits" in text(answer)


def test_narrower_limits_name_what_lies_outside(client: Client, run: Run) -> None:
    Measurement.objects.create(run=run, observable=Observable.objects.get(name="Pressure"), value="700")
    path = f"/runs/observables/{Observable.objects.get(name='Pressure').pk}/"
    page = text(client.post(path, OBSERVABLE | {"maximum": "500"}, follow=True))
    assert "Outside the limits (500 torr or less), and kept: run 1: 700." in page


def test_measurements_are_a_table_with_what_is_missing(client: Client, run: Run) -> None:
    Measurement.objects.create(run=run, observable=Observable.objects.get(name="Target"), value="<CD2>")
    retire(Observable.objects.get(name="Field"), DAQ)
    page = text(client.get("/runs/measurements/"))
    assert "&lt;CD2&gt;" in page
    assert page.count(">missing</span>") == 1
    assert "V/cm" not in page
    assert "V/cm" in text(client.get("/runs/measurements/", {"retired": "1"}))
    assert "No run fits" in text(client.get("/runs/measurements/", {"run_class": "junk"}))
    assert client.get("/runs/measurements/", {"since": "yesterday"}).status_code == 400
    assert client.get("/runs/measurements/", {"experiment": "x"}).status_code == 404


def test_measurements_are_paged_and_cost_the_same_however_many(client: Client, run: Run) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/runs/measurements/").status_code == 200
        return len(asked)

    questions()  # the first one fills what is kept between requests
    few = questions()
    for number in range(2, 62):
        made = make_run(run.experiment, number)
        Measurement.objects.create(run=made, observable=Observable.objects.get(name="Target"), value="CD2")
    assert questions() == few
    page = text(client.get("/runs/measurements/"))
    assert page.count('scope="row"') == 50
    assert text(client.get("/runs/measurements/", {"page": "2"})).count('scope="row"') == 11


def test_an_experiment_is_renamed_and_found_by_its_directory(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=NOON)
    Experiment.objects.update(directory="e20009", last_run_number=1)
    assert "stay there: the directory was fixed" in text(client.get("/runs/experiments/e20009/"))
    page = text(client.post("/runs/experiments/e20009/", {"name": "46Ar"}, follow=True))
    assert "e20009 is now called 46Ar; its data lie in e20009/." in page
    for path in ("/runs/of/46Ar/1/", SHEET, "/runs/experiments/e20009/", "/runs/measurements/?experiment=e20009"):
        assert "46Ar" in text(client.get(path))


@pytest.mark.parametrize("name", ["", "a b", "other", "OTHER", "../x", "a" * 65])
def test_names_that_cannot_be_are_refused_at_the_field(client: Client, run: Run, name: str) -> None:
    make_experiment("other", is_active=False)
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=NOON)
    answer = client.post("/runs/experiments/e20009/", {"name": name})
    assert answer.status_code == 400
    assert "errorlist" in text(answer)
    assert Experiment.objects.filter(name="e20009").exists()


def test_no_new_name_while_a_run_is_open(client: Client, run: Run) -> None:
    answer = client.post("/runs/experiments/e20009/", {"name": "46Ar"})
    assert answer.status_code == 400
    assert "e20009 run 1 is running: the experiment can be renamed when it is closed." in text(answer)


ADDRESSES = [
    "/runs/experiments/x/",
    "/runs/observables/999/",
    "/runs/measurements/?experiment=x",
    "/runs/plots/?experiment=x",
]


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_is_not_there_is_not_found(client: Client, run: Run, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/runs/measurements/", "/runs/plots/", "/runs/observables/", "/runs/experiments/"])
def test_pages_without_an_experiment_say_what_to_do(client: Client, path: str) -> None:
    assert "xperiment" in text(client.get(path))


@pytest.mark.parametrize(
    "path",
    ["/runs/observables/order", "/runs/observables/copy", "/runs/observables/1/retire", "/runs/experiments/e20009/"],
)
def test_an_observer_changes_nothing(run: Run, path: str) -> None:
    before = [*Observable.objects.values_list("name", "position", "retired_at")]
    answer = browser(observer()).post(path, {"order": "3,2,1", "source": "e20009", "name": "46Ar"})
    assert answer.status_code == 403
    assert [*Observable.objects.values_list("name", "position", "retired_at")] == before
