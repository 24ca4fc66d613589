"""Plots over runs as pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from attpcdaq.runlog.models import Measurement, Observable, Run
from tests.runlog.rows import NOON, make_run
from tests.runlog.sheet_rows import key, running_run
from tests.web.people import browser, operator

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def client() -> Client:
    return browser(operator("kim"))


@pytest.fixture
def run() -> Run:
    return running_run()


def plotted(client: Client, *keys: str, **more: str) -> str:
    return text(client.get("/runs/plots/", {"y": list(keys), **more}))


def test_observables_are_plotted_over_number_and_time(client: Client, run: Run) -> None:
    for number in range(2, 6):
        made = make_run(run.experiment, number, data_files=1, data_bytes=number * 10**9)
        for name, value in (("Pressure", f"{300 + number}"), ("Target", "CD2" if number < 4 else "CH2")):
            Measurement.objects.create(run=made, observable=Observable.objects.get(name=name), value=value)
    page = plotted(client, key("Pressure"), key("Target"), "duration", "data")
    assert page.count("<circle") == 4 + 4 + 5 + 4
    assert "<title>Run 2: 302 torr</title>" in page
    assert "<title>Run 4: CH2</title>" in page
    assert "<title>Run 5: 5.00 GB</title>" in page
    assert "4 values" in page
    assert plotted(client, key("Pressure"), x="time").count("<circle") == 4
    assert plotted(client, key("Pressure"), text="4").count("<circle") == 1


def test_without_a_choice_the_first_numbers_are_plotted(client: Client, run: Run) -> None:
    page = plotted(client)
    assert "Pressure [torr]</h2>" in page
    assert "None of these runs has a value." in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"y": ["observable-999"]}, "is none of"),
        ({"y": ["<b>"]}, "&lt;b&gt;"),
        ({"y": ["duration", "data", "events", "PRESSURE", "TARGET"]}, "choose at most 4"),
        ({"x": ["phase of the moon"]}, "use number or time"),
        ({"since": ["x"]}, "mend what is marked"),
    ],
)
def test_what_cannot_be_plotted_is_said(client: Client, run: Run, query: dict[str, list[str]], said: str) -> None:
    named = {"PRESSURE": key("Pressure"), "TARGET": key("Target")}
    answer = client.get(
        "/runs/plots/", {name: [named.get(each, each) for each in asked] for name, asked in query.items()}
    )
    assert answer.status_code == 400
    assert said in text(answer)


def test_too_many_texts_and_too_large_numbers_are_not_drawn(client: Client, run: Run) -> None:
    for number in range(2, 16):
        made = make_run(run.experiment, number)
        for name, value in (("Target", f"foil {number}"), ("Pressure", "1e308")):
            Measurement.objects.create(run=made, observable=Observable.objects.get(name=name), value=value)
    page = plotted(client, key("Target"), key("Pressure"))
    assert "14 different texts: at most 12" in page
    assert "too large to be drawn" in page
    assert "foil 15" in page


def test_of_very_many_runs_the_latest_are_plotted(client: Client, run: Run) -> None:
    target = Observable.objects.get(name="Field")
    runs = Run.objects.bulk_create(
        Run(experiment=run.experiment, number=n, state="closed", requested_at=NOON + timedelta(hours=n))
        for n in range(2, 1003)
    )
    Measurement.objects.bulk_create(Measurement(run=each, observable=target, value="-1") for each in runs)
    page = plotted(client, key("Field"))
    assert page.count("<circle") == 1000
    assert "Only the latest 1000 runs are drawn" in page
    assert page.count("<tr>") == 1 + 100
    assert plotted(client, key("Field"), numbers="all").count("<tr>") == 1 + 1000
