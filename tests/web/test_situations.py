"""What the shifter reads and may press in every situation: the state, what is wrong, what to press next."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from attpcdaq.runcontrol.seeing.views import ActionView, Overall, Snapshot
from tests.web import drawn, situations
from tests.web.drawn import GO, draw, planned
from tests.web.page import Page
from tests.web.people import expert, observer, operator

pytestmark = pytest.mark.django_db
ALL = situations.situations()


@pytest.fixture
def shifter(db: None) -> User:
    return operator()


def advice(page: Page) -> str:
    return page.id("advice").text() if page.has("//*[@id='advice']") else ""


def plan(page: Page, action: str) -> list[str]:
    return [line.text() for line in page.all(f"//*[@data-plan='{action}']//li")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("idle", "Press Go to Ready"),
        ("ready", "Press Start run"),
        ("running", ""),
        ("under-way", ""),
        ("failed", "Press Retry to go on with what is left of Configure."),
        ("wedged", "Next: Restart its ECC server (Controls), then Go to Ready."),
        ("loose", "Press Adopt as run or Stop them."),
        ("excluded", "Press Start run"),
        ("no-data", "Next: Look whether the router runs; Stop run, mend it, start again."),
    ],
)
def test_one_sentence_says_what_to_press_next(shifter: User, name: str, words: str) -> None:
    assert advice(draw(ALL[name], shifter)) == words


def test_an_order_that_nobody_takes_is_explained(shifter: User) -> None:
    queued = replace(drawn.command(state="queued"), finished_at=None, message="")
    page = draw(replace(ALL["under-way"], command=queued), shifter)
    assert advice(page).startswith("Next: Wait: no worker is at work on it.")
    fresh = replace(queued, requested_at=drawn.NOW)
    assert advice(draw(replace(ALL["under-way"], command=fresh), shifter)) == ""


@pytest.mark.parametrize(("name", "button"), [("idle", "go_ready"), ("ready", "start"), ("failed", "retry")])
def test_only_that_button_stands_out(shifter: User, name: str, button: str) -> None:
    page = draw(ALL[name], shifter)
    primary = page.all("//button[contains(concat(' ', @class, ' '), ' primary ')]")
    assert [one.get("data-action") for one in primary] == [button]


def test_an_observer_is_told_nothing_to_press(db: None) -> None:
    for shown in ALL.values():
        page = draw(shown, observer())
        assert not advice(page).startswith("Press")
        assert not any(button.enabled for button in page.all("//button[@data-action]"))


class TestPlans:
    def test_each_goal_shows_its_stages_in_order_before_the_click(self, shifter: User) -> None:
        page = draw(ALL["idle"], shifter)
        assert plan(page, "go_ready") == [
            "Describe ecc-cobo0 .. ecc-cobo9, ecc-mutant",
            "Prepare ecc-mutant",
            "Prepare ecc-cobo0 .. ecc-cobo9",
            "Configure ecc-cobo0 .. ecc-cobo9",
            "Configure ecc-mutant",
        ]
        assert plan(page, "start")[-2:] == ["Start ecc-cobo0 .. ecc-cobo9", "Start ecc-mutant"]
        assert plan(page, "stop") == ["Stop ecc-mutant", "Stop ecc-cobo0 .. ecc-cobo9"]

    def test_the_click_sends_which_plan_was_seen_but_a_stop_is_never_in_doubt(self, shifter: User) -> None:
        page = draw(ALL["idle"], shifter)
        for action in ("go_ready", "go_idle", "start"):
            assert (page.button(action).get("name"), page.button(action).get("value")) == ("plan", "4f6e20c91a55")
        assert page.button("stop").get("name") is None

    def test_a_stage_says_why_where_it_is_not_plain(self, shifter: User) -> None:
        lines = plan(draw(ALL["everything"], shifter), "go_ready")
        assert lines[0] == "Breakup ecc-mutant (it is configured anew before each run)"

    def test_a_refused_goal_shows_reasons_instead(self, shifter: User) -> None:
        page = draw(ALL["wedged"], shifter)
        assert plan(page, "go_ready") == []
        assert page.why("go_ready") == "ecc-cobo4: it is wedged (state 0): restart its ECC server."
        assert page.why("go_idle") == page.why("go_ready")

    def test_the_single_steps_stay(self, shifter: User) -> None:
        page = draw(ALL["idle"], shifter)
        steps = page.all("//*[@id='single-steps']//button")
        assert [step.get("data-action") for step in steps] == ["describe", "prepare", "configure", "breakup", "undo"]


class TestFailedCommand:
    def test_it_can_be_retried_with_the_same_targets(self, shifter: User) -> None:
        shown = replace(ALL["failed"], command=drawn.command(targets=("ecc-cobo3", "ecc-cobo4")))
        page = draw(shown, shifter)
        retry = page.button("retry")
        assert retry.enabled
        assert (retry.get("hx-post"), retry.get("value")) == ("/actions/configure", "4f6e20c91a55")
        sent = [hidden.get("value") for hidden in page.all("//*[@id='failed']//input[@name='servers']")]
        assert sent == ["ecc-cobo3", "ecc-cobo4"]
        assert plan(page, "retry") == ["Configure ecc-cobo3", "Configure ecc-mutant"]

    def test_who_failed_and_what_it_said(self, shifter: User) -> None:
        said = draw(ALL["failed"], shifter).one("//*[@data-failure]")
        assert said.text() == "ecc-cobo3: CoBo 3 does not answer on its slow control link"

    def test_what_many_say_is_said_once(self, shifter: User) -> None:
        lost = "What came of it was not recorded."
        steps = tuple(replace(step, state="failed", message=lost) for step in drawn.command().steps[:10])
        page = draw(replace(ALL["failed"], command=drawn.command(steps=steps)), shifter)
        assert page.one("//*[@data-failure]").text() == f"ecc-cobo0 .. ecc-cobo9: {lost}"
        assert page.id("command").text().count(lost) == 1

    def test_a_start_is_retried_as_the_same_run_under_another_number(self, shifter: User) -> None:
        last = drawn.run(state="failed", state_label="Failed")
        command = drawn.command("start", run_number=7, retry=planned(*GO))
        page = draw(replace(ALL["failed"], command=command, last_run=last), shifter)
        hidden = {one.get("name"): one.get("value") for one in page.all("//*[@id='failed']//input")}
        assert (hidden["title"], hidden["run_class"]) == ("16O on alpha, 3 Torr", "production")
        assert advice(page) == "Press Retry to start the same run again, under the next number."

    def test_nobody_is_told_to_retry_what_cannot_even_be_asked(self, shifter: User) -> None:
        silent = replace(drawn.SILENT, todo="An expert presses Restart. Then Go to Ready.")
        page = draw(drawn.changed(ALL["failed"], 3, trouble=silent, problem="nothing listens there"), shifter)
        assert advice(page) == "Next: An expert presses Restart."
        cards = [card.get("id") or card.get("data-trouble") for card in page.all("//*[@id='attention']/*[@data-level]")]
        assert cards == ["no-data", "failed"]
        assert page.button("retry").enabled

    def test_why_it_may_not_be_retried_now(self, shifter: User) -> None:
        refused = ActionView(allowed=False, reasons=("ecc-cobo3: its state is unknown.",))
        page = draw(replace(ALL["failed"], command=drawn.command(retry=refused)), shifter)
        assert page.why("retry") == "Retry: ecc-cobo3: its state is unknown."

    def test_it_is_gone_when_all_is_well_again(self, shifter: User) -> None:
        nothing = ActionView(allowed=False, reasons=("Nothing to do: every server is Ready.",))
        page = draw(drawn.status("ready", command=drawn.command(retry=nothing)), shifter)
        assert not page.has("//*[@id='failed']")


class TestTroubles:
    def test_each_says_what_to_do_what_it_means_and_where_to_read_on(self, shifter: User) -> None:
        card = draw(ALL["wedged"], shifter).one("//*[@data-trouble='wedged']")
        for words in ("ecc-cobo4: its ECC server is wedged", "Restart its ECC server", "answers state 0", "Manual"):
            assert words in card.text()
        assert card.element.xpath(".//a[text()='Manual']/@href") == ["/help/troubles/#wedged"]
        assert card.element.xpath(".//a[@data-menu]/@href") == ["/partials/servers/5/menu"]

    def test_what_a_restart_cures_can_be_restarted_there_by_an_expert(self, shifter: User) -> None:
        button = draw(ALL["wedged"], expert()).one("//button[@data-restart='ecc-cobo4']")
        assert (button.get("hx-post"), button.get("hx-confirm")) == ("/actions/restart", None)
        assert not draw(ALL["wedged"], shifter).has("//button[@data-restart]")
        assert not draw(ALL["no-data"], expert()).has("//button[@data-restart]")

    def test_one_card_for_all_that_have_the_same(self, shifter: User) -> None:
        shown = ALL["wedged"]
        for number in (5, 6):
            shown = drawn.changed(shown, number, trouble=drawn.WEDGED)
        (card,) = draw(shown, shifter).all("//*[@data-trouble]")
        assert card.text().startswith("ecc-cobo4 .. ecc-cobo6: its ECC server is wedged")

    def test_what_is_excluded_troubles_nobody(self, shifter: User) -> None:
        shown = drawn.changed(ALL["wedged"], 4, excluded=drawn.exclusion())
        shown = replace(shown, overall=ALL["excluded"].overall)
        assert not draw(shown, shifter).has("//*[@data-trouble]")

    def test_what_only_the_overall_state_says_has_a_text_too(self, shifter: User) -> None:
        page = draw(ALL["monitor-away"], shifter)
        assert "The monitor is not running" in page.one("//*[@data-trouble='monitor-away']").text()
        assert advice(page).startswith("Next: ")
        forsaken = Overall("bad", "Needs attention", ("Nobody moves the files of run 7. Is the worker running?",))
        card = draw(replace(ALL["ready"], overall=forsaken), shifter).one("//*[@data-trouble='nobody-moves']")
        assert card.text().startswith("Nobody moves the files")

    def test_with_the_monitor_away_what_it_saw_last_of_the_parts_is_no_trouble(self, shifter: User) -> None:
        away = ALL["monitor-away"]
        page = draw(replace(ALL["wedged"], overall=away.overall, monitor_alive=False), shifter)
        page.one("//*[@data-trouble]")
        assert (
            advice(page)
            == "Next: An administrator starts the monitor process; the page is right again a few seconds later."
        )

    def test_a_run_in_trouble_without_a_text_can_be_stopped(self, shifter: User) -> None:
        odd = Overall("bad", "Run 7 is not taking all data", ("Something nobody has seen before.",))
        assert advice(draw(replace(ALL["running"], overall=odd), shifter)) == "Press Stop run if this cannot be mended."

    def test_a_call_that_still_blocks_is_not_forgotten(self, shifter: User) -> None:
        row = draw(ALL["wedged"], shifter).one("//*[@data-ecc='ecc-cobo4']").text()
        assert "Still busy with Breakup, sent at 04:12:30 and given up at 04:13:00." in row

    def test_a_router_in_trouble_has_its_own_controls(self, shifter: User) -> None:
        card = draw(ALL["no-data"], shifter).one("//*[@data-trouble='no-data']")
        assert "router-cobo5: no data arrive" in card.text()
        assert card.element.xpath(".//a[@data-menu]/@href") == ["/partials/routers/6/menu"]


class TestLooseBoards:
    def test_they_can_be_adopted_or_stopped(self, shifter: User) -> None:
        page = draw(ALL["loose"], shifter)
        card = page.id("loose")
        assert card.get("role") == "alert"
        assert "ecc-cobo0 .. ecc-cobo9 since 03:59:48" in card.text()
        assert page.button("adopt").get("hx-post") == "/actions/adopt"
        assert page.button("stop-loose").get("hx-post") == "/actions/stop"

    def test_why_they_cannot_be_adopted(self, shifter: User) -> None:
        refused = ActionView(allowed=False, reasons=("No experiment is active: create or choose one first.",))
        shown = ALL["loose"]
        assert shown.loose is not None
        page = draw(replace(shown, loose=replace(shown.loose, adopt=refused)), shifter)
        assert page.why("adopt") == "No experiment is active: create or choose one first."
        assert page.button("stop-loose").enabled


class TestExcluded:
    def test_it_is_loud_and_can_be_taken_back(self, shifter: User) -> None:
        page = draw(ALL["excluded"], shifter)
        assert "goes on without 1 of 11 ECC servers" in page.id("excluded").text()
        assert "ecc-cobo3 its HV trips (kim, 22 Nov 02:00)" in page.one("//li[@data-excluded='ecc-cobo3']").text()
        assert page.one("//button[@data-include='ecc-cobo3']").enabled
        assert "Excluded: its HV trips" in page.one("//*[@data-ecc='ecc-cobo3']").text()

    def test_the_run_says_without_whom_it_is_taken(self, shifter: User) -> None:
        run = drawn.run(excluded={"ecc-cobo3": {"reason": "its HV trips", "by": "kim"}}, adopted=True)
        page = draw(replace(ALL["running"], run=run), shifter)
        assert page.id("run-without").text() == "ecc-cobo3: its HV trips"
        assert "Adopted" in page.id("run").text()


def test_nothing_wrong_shows_no_card(shifter: User) -> None:
    def cards(shown: Snapshot) -> bool:
        return draw(shown, shifter).has("//*[@id='attention']//*[@data-level]")

    assert {name for name, shown in ALL.items() if not cards(shown)} == {
        "idle",
        "ready",
        "running",
        "under-way",
    }


def test_without_scripts_what_must_be_confirmed_can_be(shifter: User) -> None:
    box = "//form[.//button[@data-action='go_idle']]//input[@name='confirm']"
    assert draw(ALL["running"], shifter).one(box).get("value") == "true"
    assert not draw(ALL["ready"], shifter).has(box)
