"""Beam time as pages: all days first, one day's details on its own address, and every time without a run is found."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts.accounting import Segment
from attpcdaq.shifts.causes import Cause
from attpcdaq.shifts.models import Gap
from attpcdaq.shifts.spans import Interval
from attpcdaq.web.shift_strip import MOST, outline
from tests.runlog.rows import make_experiment
from tests.shifts.rows import NOON, at, make_spell, make_timed_run
from tests.web.page import Page
from tests.web.people import browser, observer, operator

pytestmark = pytest.mark.django_db
PATH = "/shifts/beam-time/"
GAPS = "//table[contains(@class, 'gaps')]/tbody/tr"


@pytest.fixture
def client() -> Client:
    return browser(operator())


@pytest.fixture
def experiment() -> Experiment:
    """Runs of an hour from noon, every two hours, for two and a half days; what is after the second is explained."""
    made = make_experiment()
    make_spell(0, 60 * 3600)
    for number in range(1, 31):
        make_timed_run(made, number, 7200 * (number - 1), 7200 * (number - 1) + 3600)
    second = Run.objects.get(number=2)
    Gap.objects.create(experiment=made, after=second, cause="beam", comment='<b> "x"', by="kim", at=NOON)
    Experiment.objects.update(is_active=False)
    return made


def page(client: Client, path: str = PATH) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page.of(answer.content)


def link(seen: Page, words: str) -> str:
    return str(seen.one(f"//main//a[normalize-space()='{words}']").get("href"))


def test_every_day_leads_to_its_details_and_its_runs(client: Client, experiment: Experiment) -> None:
    seen = page(client)
    days = [each.text() for each in seen.all("//*[@id='days']/tbody/tr/td[1]//span[@class='strong']")]
    assert days == ["Sun 22 Nov", "Mon 23 Nov", "Tue 24 Nov"]
    assert not seen.has("//*[@id='days']//*[local-name()='title']")
    day = page(client, PATH + link(seen, "Mon 23 Nov"))
    assert [each.text() for each in day.all("//*[@id='days']/tbody/tr/td[1]//span[@class='strong']")] == ["Mon 23 Nov"]
    stretches = [each.text() for each in day.all("//*[@id='days']//*[local-name()='title']")]
    assert len(stretches) == 24
    assert stretches[0].endswith("Running (1:00:00)")
    runs = page(client, str(day.one("//a[@aria-label='Runs of 23 Nov']").get("href")))
    assert len(runs.all("//*[@id='runs']/tbody/tr")) == 12
    assert PATH + link(day, "Day before") == PATH + link(seen, "Sun 22 Nov")
    assert PATH + link(day, "Day after") == PATH + link(seen, "Tue 24 Nov")
    assert len(page(client, PATH + link(day, "All days")).all("//*[@id='days']/tbody/tr")) == 3


def test_a_day_shows_all_its_times_without_a_run_in_their_order(client: Client, experiment: Experiment) -> None:
    seen = page(client, f"{PATH}?since=2026-11-22&until=2026-11-22")
    after = [each.text() for each in seen.all(f"{GAPS}/td[3]")]
    assert after == [f"Run {number}" for number in range(1, 7)]
    causes = [each.get("value") for each in seen.all(f"{GAPS}//option[@selected]")]
    assert causes == ["beam"]
    assert seen.all(f"{GAPS}//input[@name='comment']")[1].get("value") == '<b> "x"'
    assert not seen.has("//main//a[normalize-space()='Day before']")
    assert link(seen, "Run 2") == "/runs/of/e20009/2/"


def test_what_nobody_explained_is_found_page_by_page(client: Client, experiment: Experiment) -> None:
    first = page(client)
    second = page(client, PATH + link(first, "Next"))
    assert (len(first.all(GAPS)), len(second.all(GAPS))) == (20, 8)
    found = {each.text() for seen in (first, second) for each in seen.all(f"{GAPS}/td[3]")}
    assert found == {f"Run {number}" for number in range(1, 30)} - {"Run 2"}
    assert len(page(client, PATH + link(second, "Previous").removesuffix("#gaps")).all(GAPS)) == 20


def test_who_names_a_cause_comes_back_to_where_it_was_asked(client: Client, experiment: Experiment) -> None:
    for query in ("experiment=e20009&since=2026-11-23&until=2026-11-23", "experiment=e20009&page=2"):
        form = page(client, f"{PATH}?{query}").all("//form[@class='gap-form']")[0].element
        sent = {each.get("name"): each.get("value", "") for each in form.iter("input")} | {"cause": "daq"}
        assert client.post("/shifts/gaps", sent).headers["Location"] == f"{PATH}?{query}#gaps"


def test_an_observer_reads_what_was_said(experiment: Experiment) -> None:
    seen = page(browser(observer()), f"{PATH}?since=2026-11-22&until=2026-11-22")
    said = [each.text() for each in seen.all(f"{GAPS}/td[5]")]
    assert said[:2] == ["Not said", 'No beam: <b> "x" said by kim']
    assert not seen.has("//form[@class='gap-form']")


def shapes(drawn: str) -> list[tuple[str, int]]:
    return [(css, path.count("M")) for css, path in re.findall(r'<path class="([^"]*)" d="([^"]*)"/>', drawn)]


def test_an_outline_has_one_shape_for_neighbours_that_look_the_same() -> None:
    segments = [
        Segment(at(0), at(10), "running"),
        Segment(at(10), at(20), "lost", "beam", "a"),
        Segment(at(20), at(30), "lost", "daq", "b"),
        Segment(at(30), at(40), "lost", Cause.UNNAMED),
        Segment(at(40), at(50), "not_watched"),
        Segment(at(50), at(100), "running"),
    ]
    drawn = outline(Interval(at(0), at(100)), segments)
    assert shapes(drawn) == [("running", 2), ("lost", 1), ("lost unnamed", 1), ("not-watched", 1)]
    assert 'd="M100.0 16h200.0v16h-200.0z"' in drawn
    assert outline(Interval(at(0), at(0)), ()) == ""


def test_of_very_many_shapes_those_that_nobody_could_see_are_left_out() -> None:
    begin, long = NOON, timedelta(seconds=100)
    tiny = [begin + timedelta(milliseconds=number) for number in range(MOST + 2)]
    kinds = ("running", "not_watched")
    segments = [Segment(tiny[n], tiny[n + 1], kinds[n % 2]) for n in range(MOST + 1)]
    segments.append(Segment(tiny[-1], begin + long, "lost", "beam"))
    assert shapes(outline(Interval(begin, begin + long), segments)) == [("lost", 1)]
