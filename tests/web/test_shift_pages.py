"""Pages of the shift: roles, what they say, what is refused and how."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.models import Experiment, Observable
from attpcdaq.runlog.observables import add
from attpcdaq.shifts.models import Gap, Note, Shift
from attpcdaq.testing.builders import build_detector
from tests.runlog.rows import make_experiment
from tests.shifts.rows import make_shift, make_spell, make_timed_run
from tests.web.page import Page
from tests.web.people import browser, observer, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return browser(operator())


@pytest.fixture
def experiment() -> Experiment:
    build_detector(cobos=1)
    return make_experiment()


def page(client: Client, path: str, status: int = 200) -> Page:
    answer = client.get(path)
    assert answer.status_code == status
    return Page.of(answer.content)


def text(page: Page) -> str:
    return page.one("//main").text()


def test_a_shift_from_its_begin_to_its_end(client: Client, experiment: Experiment) -> None:
    assert page(client, "/shifts/").id("crew").get("value") == "kim"
    answer = client.post("/shifts/begin", {"crew": "Kim, Lee"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/shifts/checklist/"
    shift = Shift.objects.get()
    assert page(client, "/").id("desk-shift").text() == "Kim, Lee"
    client.post("/shifts/checklist/", {"shift": shift.pk, "tick-beam": "1"})
    client.post("/shifts/notes", {"text": "cryo trip", "shift": shift.pk})
    client.post(f"/shifts/{shift.pk}/write", {"hand_over": "call Ann", "was": "", "end": "1"})
    seen = text(page(client, f"/shifts/{shift.pk}/"))
    for expected in ("Ended", "call Ann", "cryo trip", "Done Beam", "Not done Gas", "when the shift ended"):
        assert expected in seen
    assert not page(client, "/").has("//*[@id='desk-shift']")
    assert "Kim, Lee" in text(page(client, "/shifts/"))


def test_a_crew_without_a_name_is_told_what_is_allowed_and_nothing_is_done(client: Client) -> None:
    answer = client.post("/shifts/begin", {"crew": " "})
    assert answer.status_code == 400
    assert "crew: write 1 to 200 printable characters" in answer.content.decode()
    assert not Shift.objects.exists()
    assert Entry.objects.latest("id").outcome == "refused"


def test_beginning_while_one_is_on_is_refused_but_taking_over_is_not(client: Client, experiment: Experiment) -> None:
    on = make_shift(0, None, experiment)
    assert "The shift of Kim, Lee is on since" in client.post("/shifts/begin", {"crew": "Ann"}).content.decode()
    assert client.post("/shifts/begin", {"crew": "Ann", "instead_of": "x"}).status_code == 400
    assert page(client, "/shifts/").one("//input[@name='instead_of']").get("value") == str(on.pk)
    assert client.post("/shifts/begin", {"crew": "Ann", "instead_of": on.pk}).status_code == 302
    assert Shift.objects.get(ended_at=None).crew == "Ann"
    # The tab of somebody who still sees the old shift.
    answer = client.post("/shifts/begin", {"crew": "Tim", "instead_of": on.pk})
    assert (answer.status_code, "was ended at" in answer.content.decode()) == (409, True)


def test_what_somebody_wrote_is_not_lost_when_it_is_refused(client: Client, experiment: Experiment) -> None:
    shift = make_shift(0, None, experiment, hand_over="theirs")
    answer = client.post(f"/shifts/{shift.pk}/write", {"hand_over": "mine <b>", "was": ""})
    assert answer.status_code == 409
    shown = Page.of(answer.content)
    assert shown.id("hand-over-text").text() == "mine <b>"
    assert "Somebody else wrote meanwhile: 'theirs'" in shown.id("refusal").text()
    assert shown.one("//form[@id='hand-over']/input[@name='was']").get("value") == "theirs"
    answer = client.post(f"/shifts/{shift.pk}/write", {"hand_over": "x" * 20_001, "was": "theirs"})
    assert (answer.status_code, "hand_over: write 0 to 20000" in answer.content.decode()) == (400, True)
    assert client.post("/shifts/99/write", {"hand_over": "x"}).status_code == 404


def test_the_hand_over_page_tells_everything(client: Client, experiment: Experiment) -> None:
    add(experiment, DAQ, "Pressure", "number", "torr", "")
    Observable.objects.update(required=True)
    make_spell(0, 4000)
    make_timed_run(experiment, 1, 600, 1200, title="alphas", verdict="CoBo[0] was silent")
    make_timed_run(experiment, 2, 1500, 3000)
    shift = make_shift(
        0, 3600, experiment, problems=[{"level": "bad", "text": "gas leak", "anchor": "shifts#open-problems"}]
    )
    seen = page(client, f"/shifts/{shift.pk}/")
    rows = [row.text() for row in seen.all("//table[@class='data sums']//tr")]
    assert "Running0:35:0058.3 %" in rows
    assert "No run, and nobody said why0:25:0041.7 %" in rows
    assert rows[-1] == "Together1:00:00"
    assert len(seen.all("//*[@id='shift-runs']/tbody/tr")) == 2
    words = text(seen)
    for expected in ("alphas", "Sheet incomplete Pressure", "CoBo[0] was silent", "gas leak", "the beginning"):
        assert expected in words
    label = seen.one("//*[local-name()='svg' and contains(@class, 'strip')]").get("aria-label")
    assert label == "running 0:35:00, lost 0:25:00, not watched 0:00:00"
    assert len(seen.all("//form[@class='gap-form']")) == 3
    panel = client.get(f"/shifts/{shift.pk}/?panels=shift-facts").content.decode()
    assert panel.lstrip().startswith('<div class="stack" id="shift-facts"')


def test_a_cause_is_named_on_the_page(client: Client, experiment: Experiment) -> None:
    make_spell(0, 4000)
    make_timed_run(experiment, 1, 600, 1200)
    shift = make_shift(0, 3600, experiment)
    sent = {"experiment": "e20009", "after": "1", "cause": "beam", "comment": "cryo", "was": "", "back": str(shift.pk)}
    answer = client.post("/shifts/gaps", sent)
    assert answer.headers["Location"] == f"/shifts/{shift.pk}/#gaps"
    assert "No beam" in text(page(client, f"/shifts/{shift.pk}/"))
    assert client.post("/shifts/gaps", sent | {"cause": "daq"}).status_code == 409
    assert client.post("/shifts/gaps", sent | {"cause": "weather", "was": "beam"}).status_code == 400
    assert client.post("/shifts/gaps", sent | {"after": "x"}).status_code == 400
    assert client.post("/shifts/gaps", sent | {"experiment": "nothing"}).status_code == 400
    assert client.post("/shifts/gaps", sent | {"was": "beam", "back": "//evil.invalid"}).headers["Location"] == (
        "/shifts/beam-time/#gaps"
    )
    assert Gap.objects.get().cause == "beam"


def test_notes_go_where_they_were_written(client: Client, experiment: Experiment) -> None:
    assert "No shift is on and no run is open" in client.post("/shifts/notes", {"text": "x"}).content.decode()
    run, shift = make_timed_run(experiment, 1, 0, None), make_shift(0, None, experiment)
    assert client.post("/shifts/notes", {"text": "quick"}).headers["Location"] == "/"
    to_run = client.post("/shifts/notes", {"text": "on it", "experiment": "e20009", "run": "1"})
    assert to_run.headers["Location"] == "/runs/of/e20009/1/#notes"
    assert [(note.run, note.shift) for note in Note.objects.order_by("id")] == [(run, shift)] * 2
    for wrong in ({"text": ""}, {"text": "x", "shift": "77"}, {"text": "x", "shift": "x"}, {"text": "x", "run": "1e3"}):
        assert client.post("/shifts/notes", wrong).status_code == 400
    assert client.post("/shifts/notes", {"text": "x", "run": "9", "experiment": "e20009"}).status_code == 404


def test_an_observer_reads_everything_and_changes_nothing(experiment: Experiment) -> None:
    shift = make_shift(0, None, experiment)
    make_spell(0, 1000)
    make_timed_run(experiment, 1, 0, 500)
    client = browser(observer())
    for path in ("/shifts/", f"/shifts/{shift.pk}/", "/shifts/checklist/", "/shifts/beam-time/"):
        seen = page(client, path)
        assert not seen.has("//main//button[not(ancestor::fieldset[@disabled])][normalize-space()!='Show']"), path
        assert not seen.has("//form[@class='gap-form']")
    assert client.post("/shifts/notes", {"text": "x"}).status_code == 403


def test_ticks_of_a_page_that_is_old_take_nothing_back(client: Client, experiment: Experiment) -> None:
    shift = make_shift(0, None, experiment)
    client.post("/shifts/checklist/", {"shift": shift.pk, "tick-gas": "1"})
    client.post("/shifts/checklist/", {"shift": shift.pk, "tick-beam": "1"})
    assert [key for key, one in Shift.objects.get().checks.items() if one.get("by")] == ["gas", "beam"]
    seen = page(client, "/shifts/checklist/")
    assert {box.get("name") for box in seen.all("//input[@type='checkbox'][@checked]")} == {"tick-gas", "tick-beam"}
    for wrong, field in (({"tick-weather": "1"}, "tick-weather"), ({"shift": "x"}, "shift: 'x' is no number")):
        answer = client.post("/shifts/checklist/", {"shift": shift.pk} | wrong)
        assert answer.status_code == 400
        assert field in text(Page.of(answer.content))
    assert client.post("/shifts/checklist/", {"shift": shift.pk + 1}).status_code == 409


def test_the_checklist_names_what_is_wrong_and_where_to_mend_it(client: Client, experiment: Experiment) -> None:
    seen = page(client, "/shifts/checklist/")
    servers = seen.one("//li[@data-item='servers']")
    assert servers.text().startswith(
        "Bad ECC servers: ecc-cobo0, ecc-mutant: unknown or wedged. Status page · What to do"
    )
    assert (
        seen.one("//li[@data-item='experiment']").text().startswith("In order Experiment: e20009; the next run is 1.")
    )
    assert "No shift is on" in text(seen)


def test_beam_time_by_day_and_what_nobody_explained(client: Client, experiment: Experiment) -> None:
    make_spell(0, 3 * 86400)
    make_timed_run(experiment, 1, 0, 600)
    run = make_timed_run(experiment, 2, 1000, 86400)
    make_timed_run(experiment, 3, 2 * 86400, 3 * 86400)
    Gap.objects.create(experiment=experiment, after=run, cause="beam", by="kim", at=run.started_at)
    Experiment.objects.update(is_active=False)
    seen = page(client, "/shifts/beam-time/?experiment=e20009")
    assert [row.text() for row in seen.all("//table[contains(@class, 'gaps')]/tbody/tr/td[2]")] == ["0:06:40"]
    assert len(seen.all("//*[@id='days']/tbody/tr")) == 4
    assert "No beam24:00:00" in text(seen)
    one = page(client, "/shifts/beam-time/?experiment=e20009&since=2026-11-23&until=2026-11-23")
    assert len(one.all("//*[@id='days']/tbody/tr")) == 1
    assert "Enter a valid date" in text(page(client, "/shifts/beam-time/?since=yesterday", 400))
    turned = page(client, "/shifts/beam-time/?since=2026-11-23&until=2026-11-22", 400)
    assert "It must not be before 2026-11-23" in text(turned)
    page(client, "/shifts/beam-time/?experiment=nothing", 404)


def test_a_comment_without_a_cause_is_not_thrown_away(client: Client, experiment: Experiment) -> None:
    make_timed_run(experiment, 1, 0, 600)
    gap = {"experiment": "e20009", "after": "1", "cause": "", "was": ""}
    answer = client.post("/shifts/gaps", gap | {"comment": "cryo trip"})
    assert answer.status_code == 400
    assert "cause: choose one, or what you wrote is kept nowhere: 'cryo trip'" in text(Page.of(answer.content))
    client.post("/shifts/gaps", gap | {"cause": "beam", "comment": "cryo trip"})
    assert Gap.objects.get().comment == "cryo trip"
    client.post("/shifts/gaps", gap | {"was": "beam", "comment": "cryo trip"})
    assert not Gap.objects.exists()


def test_a_hand_over_that_was_not_sent_clears_nothing(client: Client, experiment: Experiment) -> None:
    shift = make_shift(0, None, experiment, hand_over="call Ann")
    assert client.post(f"/shifts/{shift.pk}/write", {}).status_code == 400
    assert Shift.objects.get().hand_over == "call Ann"


def test_the_ends_of_the_calendar_are_days_too(client: Client, experiment: Experiment) -> None:
    make_timed_run(experiment, 1, 0, 600)
    page(client, "/shifts/beam-time/?since=0001-01-01&until=9999-12-31")
    for day in ("0001-01-01", "9999-12-31"):
        assert client.get(f"/shifts/log-book?day={day}").status_code == 200
        assert client.get(f"/api/v1/elog?day={day}").status_code == 200
        assert client.get(f"/api/v1/beam-time?since={day}&until={day}").status_code == 200


def test_pages_say_what_to_do_when_there_is_nothing(client: Client) -> None:
    assert "No experiment yet" in text(page(client, "/shifts/beam-time/"))
    assert "No shift is on" in text(page(client, "/shifts/"))
    page(client, "/shifts/9/", 404)


def test_the_log_book_as_a_file(client: Client, experiment: Experiment) -> None:
    make_spell(0, 4000)
    make_timed_run(experiment, 1, 600, 1200, title="<b>*alphas*</b>")
    shift = make_shift(0, 3600, experiment, hand_over="# not a heading")
    answer = client.get(f"/shifts/log-book?shift={shift.pk}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shift_2026-11-22_1200.md"'
    assert "| Running | 0:10:00 | 16.7 |" in answer.content.decode()
    for query in (f"shift={shift.pk}&format=html", "day=2026-11-22&format=html", "experiment=e20009&format=html"):
        html = client.get(f"/shifts/log-book?{query}").content.decode()
        assert "&lt;b&gt;*alphas*&lt;/b&gt;" in html
        assert not re.search(r"(?:src|href)=|https?:|url\(", html), "it stands alone"
    for wrong in ("format=pdf", "shift=0", "shift=x", "day=tomorrow"):
        assert client.get(f"/shifts/log-book?{wrong}").status_code == 400
    assert client.get("/shifts/log-book?shift=99").status_code == 404


def test_no_page_asks_more_the_more_there_is(client: Client, experiment: Experiment) -> None:
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    shift = make_shift(0, None, experiment)
    paths = (
        "/shifts/",
        f"/shifts/{shift.pk}/",
        "/shifts/beam-time/",
        "/shifts/log-book?format=html",
        "/shifts/checklist/",
    )

    def fill(numbers: range) -> None:
        for number in numbers:
            run = make_timed_run(experiment, number, number * 100, number * 100 + 50)
            Note.objects.create(run=run, shift=shift, text="x", by="kim", at=run.started_at)
            Gap.objects.create(experiment=experiment, after=run, cause="beam", by="kim", at=run.started_at)
            make_shift(number * 100, number * 100 + 50, experiment)

    fill(range(1, 4))
    before = [asked(path) for path in paths]
    fill(range(4, 14))
    assert [asked(path) for path in paths] == before
