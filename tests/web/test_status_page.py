"""The status page in every situation: what is shown, what may be pressed, and why not."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from attpcdaq.live import store
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runlog.models import Run
from attpcdaq.testing.builders import Detector, build_detector
from attpcdaq.topology.models import ECCServer
from attpcdaq.web.partials import PANELS
from get_protocol.state_machine import State, Transition
from tests.web.page import Page
from tests.web.seen import open_run, person, see, see_data

pytestmark = pytest.mark.django_db
SEVEN = {"describe", "prepare", "configure", "start", "stop", "breakup", "undo"}
GOALS = {"go_ready", "go_idle"}
TROUBLE = "AsAd[2] <b>& its ADC</b> did not answer: 'Instance[\"3\"]'"


@pytest.fixture
def detector() -> Detector:
    return build_detector(cobos=2)


@pytest.fixture
def shifter(db: None) -> Client:
    return person("shifter", operates=True)


def look(client: Client) -> Page:
    answer = client.get("/")
    assert answer.status_code == 200
    return Page.of(answer.content)


def failed_configure(detector: Detector) -> None:
    """A Configure in which the second server failed."""
    now = timezone.now()
    command = Command.objects.create(
        action="configure", state="failed", message="Configure failed.", requested_by="shifter", requested_at=now,
        published_at=now, expires_at=now, finished_at=now,
    )  # fmt: skip
    for server, state, message in zip(detector.ecc_servers, ("confirmed", "failed"), ("", TROUBLE), strict=False):
        Step.objects.create(
            command=command, stage=0, ecc_server=server, server_name=server.name, state=state, message=message,
            transition=Transition.CONFIGURE, sent_at=now,
        )  # fmt: skip


class TestOverall:
    def test_without_hardware_it_leads_to_easy_setup(self, shifter: Client) -> None:
        page = look(shifter)
        assert page.id("overall").get("data-level") == "off"
        assert page.id("overall-state").text() == "No hardware set up"
        assert page.id("first-use").get("href") == "/setup/easy"
        assert "Easy setup" in page.id("servers").text()
        assert "No ECC server is set up" in page.why("describe")

    def test_one_state_for_all(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        page = look(shifter)
        assert (page.id("overall").get("data-level"), page.id("overall-state").text()) == ("ok", "Ready")

    def test_mixed_states_are_listed_with_the_servers_in_them(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY, State.PREPARED)
        page = look(shifter)
        assert page.id("overall").get("data-level") == "bad"
        assert "Prepared: ecc-cobo1, ecc-mutant" in page.id("overall-reasons").text()

    def test_a_dead_monitor_makes_everything_unknown(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY, now=timezone.now() - timedelta(minutes=1))
        page = look(shifter)
        assert page.id("overall-state").text() == "Monitor is not running"
        assert {badge.get("data-state") for badge in page.all("//*[@data-ecc]//*[@data-state]")} == {"unknown"}


class TestServers:
    def test_each_server_has_state_age_and_configuration(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        row = look(shifter).one("//*[@data-ecc='ecc-cobo0']").text()
        for words in ("CoBo[0]", "Ready", "0 s", "cobo0 / experiment / experiment", "Controls"):
            assert words in row

    def test_a_transition_is_shown_as_old_and_new(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.PREPARED, transition=Transition.CONFIGURE)
        assert "Prepared → Ready" in look(shifter).one("//*[@data-ecc='ecc-cobo0']").text()

    def test_wedged_and_paused(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.OFF, State.PAUSED)
        page = look(shifter)
        assert page.has("//*[@data-ecc='ecc-cobo0']//*[@data-state='wedged']")
        assert page.has("//*[@data-ecc='ecc-cobo1']//*[@data-state='paused']")
        assert "restart its ECC server" in page.why("describe")

    def test_what_a_server_said_is_text_not_mark_up(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.PREPARED)
        failed_configure(detector)
        store.record_ecc_problem(detector.ecc_servers[0].pk, "<script>alert(1)</script> refused", timezone.now())
        page = look(shifter)
        assert TROUBLE in page.one("//*[@data-ecc='ecc-cobo1']//*[@data-last-error]").text()
        assert "<script>alert(1)</script> refused" in page.one("//*[@data-problem]").text()
        assert not page.has("//*[@data-ecc]//script")
        assert not page.has("//*[@data-ecc]//b")

    def test_a_server_without_configuration_leads_to_the_choice(self, shifter: Client, detector: Detector) -> None:
        ECCServer.objects.filter(name="ecc-cobo1").update(config_set=None)
        see(detector, State.IDLE)
        page = look(shifter)
        assert page.has("//*[@data-ecc='ecc-cobo1']//a[@href='/setup/#configs']")
        assert "ecc-cobo1: no configuration is chosen" in page.why("describe")


class TestRouters:
    def test_figures_are_for_people(self, shifter: Client, detector: Detector) -> None:
        open_run()
        see(detector, State.RUNNING)
        see_data(detector, 123_456_789, event=4242)
        row = look(shifter).one("//*[@data-router='router-cobo0']").text()
        for words in ("Online", "In use", "1 123 MB", "123 MB/s", "4242", "100 GB of 1.00 TB"):
            assert words in row

    def test_files_without_a_run_are_not_clean(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        see_data(detector, 1000, event=1)
        page = look(shifter)
        assert "Not clean" in page.one("//*[@data-router='router-mutant']").text()
        assert "its staging directory is not clean" in page.why("start")

    def test_an_unreachable_node_says_why(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        store.record_router_problem(detector.data_routers[0].pk, "no answer within 2 s", timezone.now())
        assert "no answer within 2 s" in look(shifter).one("//*[@data-router='router-cobo0']").text()


class TestRun:
    def test_an_open_run_with_its_clock(self, shifter: Client, detector: Detector) -> None:
        run = open_run()
        see(detector, State.RUNNING)
        see_data(detector, 1000, event=1)
        page = look(shifter)
        assert (page.id("run-number").text(), page.id("run-state").get("data-run-state")) == ("7", "running")
        assert page.id("duration").text() == "0:01:30"
        assert float(page.id("duration").get("data-duration") or 0) == pytest.approx(run.started_at.timestamp(), abs=1)
        assert page.id("run-name").text() == "16O on alpha"
        assert not page.has("//input[@name='title']")
        assert page.button("stop").enabled

    def test_before_a_run_title_and_class_are_asked(self, shifter: Client, detector: Detector) -> None:
        run = open_run(state="closed", stopped_at=timezone.now())
        see(detector, State.READY)
        page = look(shifter)
        assert "Next run will be 8" in page.id("run").text()
        assert page.has("//input[@name='title']")
        assert page.has("//select[@name='run_class']/option[@value='production']")
        assert page.button("start").enabled
        assert page.id("last-run").get("href") == f"/runs/of/e20009/{run.number}/"

    def test_a_run_that_never_started_shows_no_clock(self, shifter: Client, detector: Detector) -> None:
        open_run(state="starting", started_at=None)
        see(detector, State.READY)
        page = look(shifter)
        assert not page.has("//*[@id='duration']")
        assert "not yet" in page.id("run").text()
        assert Run.objects.get().started_at is None

    def test_breakup_of_an_open_run_asks_first(self, shifter: Client, detector: Detector) -> None:
        open_run()
        see(detector, State.RUNNING)
        breakup = look(shifter).button("breakup")
        assert breakup.enabled
        assert "Run 7 is open" in (breakup.get("hx-confirm") or "")
        assert breakup.get("hx-vals") == '{"confirm": "true"}'


class TestButtons:
    def test_every_one_is_there_once_and_the_disabled_say_why(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.IDLE)
        page = look(shifter)
        buttons = page.all("//button[@data-action]")
        assert sorted(button.get("data-action") or "" for button in buttons) == sorted(SEVEN | GOALS)
        assert {action for action in SEVEN if page.button(action).enabled} == {"describe", "stop"}
        assert all(page.why(button.get("data-action") or "") for button in buttons if not button.enabled)

    def test_an_observer_sees_all_and_may_press_nothing(self, detector: Detector) -> None:
        see(detector, State.IDLE)
        page = look(person("observer", operates=False))
        assert page.id("overall-state").text() == "Idle"
        assert not any(page.button(action).enabled for action in SEVEN)
        assert "observer" in page.why("stop")
        assert not page.has("//input[@name='title']")

    def test_the_menu_of_one_server(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.DESCRIBED, State.IDLE)
        server = detector.ecc_servers[0]
        page = Page.of(shifter.get(f"/partials/servers/{server.pk}/menu").content)
        assert {action for action in SEVEN if page.button(action).enabled} == {"prepare", "stop", "undo"}
        assert page.one("//input[@name='servers']").get("value") == "ecc-cobo0"
        assert "Configure needs Prepared" in page.why("configure")
        assert shifter.get("/partials/servers/999/menu").status_code == 404

    def test_a_command_shows_its_steps_and_what_failed(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.PREPARED)
        failed_configure(detector)
        page = look(shifter)
        assert page.id("command-state").get("data-command-state") == "failed"
        assert page.one("//*[@data-step-state='failed']").text() == "ecc-cobo1: failed"
        assert TROUBLE in page.id("command").text()


class TestPartials:
    def test_only_what_was_asked_for(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.IDLE)
        answer = shifter.get("/partials/status?panels=routers,overall")
        assert [part.get("data-panel") for part in Page.of(answer.content).all("//*[@data-panel]")] == [
            "routers",
            "overall",
        ]
        assert "no-cache" in answer.headers["Cache-Control"]

    def test_every_panel_of_the_page_can_be_fetched_alone(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.IDLE)
        whole = look(shifter)
        for name in PANELS:
            alone = Page.of(shifter.get(f"/partials/status?panels={name}").content)
            assert alone.one("//*[@data-panel]").get("data-topics") == whole.one(f"//*[@data-panel='{name}']").get(
                "data-topics"
            )

    @pytest.mark.parametrize("query", ["", "?panels=", "?panels=overall,nothing"])
    def test_a_wrong_question_is_told_what_is_allowed(self, shifter: Client, query: str) -> None:
        answer = shifter.get(f"/partials/status{query}")
        assert answer.status_code == 400
        assert b"overall, run, attention, operations" in answer.content

    def test_the_stream_begins_after_the_event_the_page_shows(self, shifter: Client, detector: Detector) -> None:
        event = store.add_event("ecc", "Idle -> Described", subject="ecc-cobo0")
        page = look(shifter)
        assert page.one("//body").get("data-event-id") == str(event.pk)
        assert "Idle -> Described" in page.id("events").text()
