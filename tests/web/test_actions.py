"""A pressed button: one command, or a refusal that says why and records nothing."""

from uuid import UUID

import pytest
from django.test import Client

from attpcdaq.live.models import Event
from attpcdaq.runcontrol.models import Command, Restart
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.builders import Detector, build_detector
from get_protocol.state_machine import State
from tests.web.page import Page
from tests.web.people import browser, expert
from tests.web.seen import open_run, person, see, see_data

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def detector() -> Detector:
    return build_detector(cobos=2)


@pytest.fixture
def shifter(db: None) -> Client:
    return person("shifter", operates=True)


def test_describe_is_accepted_and_recorded_with_who_asked(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    answer = shifter.post("/actions/describe", headers=HTMX)
    assert answer.status_code == 202
    assert "Describe was requested" in Page.of(answer.content).root.text_content()
    command = Command.objects.get()
    assert (command.action, command.targets, command.requested_by) == ("describe", None, "shifter")
    assert isinstance(command.pk, UUID)
    assert command.user is not None


def test_one_server_alone(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    assert shifter.post("/actions/describe", {"servers": "ecc-cobo1"}, headers=HTMX).status_code == 202
    assert Command.objects.get().targets == ["ecc-cobo1"]


def test_start_takes_title_and_class_of_the_form(shifter: Client, detector: Detector) -> None:
    Experiment.objects.create(name="e20009", is_active=True)
    see(detector, State.READY)
    sent = {"title": " 16O on alpha ", "run_class": "production"}
    assert shifter.post("/actions/start", sent, headers=HTMX).status_code == 202
    run = Run.objects.get()
    assert (run.number, run.title, run.run_class) == (1, "16O on alpha", "production")


def test_a_refusal_names_every_server_and_records_nothing(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    answer = shifter.post("/actions/configure", headers=HTMX)
    assert answer.status_code == 409
    text = Page.of(answer.content).root.text_content()
    assert "Configure was refused" in text
    assert "ecc-cobo0, ecc-cobo1, ecc-mutant: it is Idle, and Configure needs Prepared." in text
    assert not Command.objects.exists()


def test_a_click_is_for_the_plan_that_was_seen(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    seen = Page.of(shifter.get("/").content).button("go_ready").get("value")
    assert seen
    see(detector, State.DESCRIBED, State.IDLE)
    refused = shifter.post("/actions/go_ready", {"plan": seen}, headers=HTMX)
    assert refused.status_code == 409
    assert b"The plan changed meanwhile" in refused.content
    now = Page.of(shifter.get("/").content).button("go_ready").get("value")
    assert shifter.post("/actions/go_ready", {"plan": now}, headers=HTMX).status_code == 202
    assert Command.objects.get().steps.filter(server_name="ecc-cobo0").count() == 2


def test_breakup_during_a_run_must_be_confirmed(shifter: Client, detector: Detector) -> None:
    open_run()
    see(detector, State.RUNNING)
    refused = shifter.post("/actions/breakup", headers=HTMX)
    assert refused.status_code == 409
    assert b"Run 7 is open" in refused.content
    assert shifter.post("/actions/breakup", {"confirm": "true"}, headers=HTMX).status_code == 202


@pytest.mark.parametrize(
    ("action", "sent", "words"),
    [
        ("resume", {}, "'resume' is not one of describe, prepare, configure"),
        ("describe", {"servers": "ecc-nobody"}, "there is no 'ecc-nobody'; known are ecc-cobo0"),
        ("start", {"run_class": "holiday"}, "'holiday' is not one of testing, production"),
        ("start", {"title": "x" * 201}, "at most 200 printable characters"),
        ("start", {"title": "two\nlines"}, "at most 200 printable characters"),
    ],
)
def test_nonsense_is_told_what_is_allowed(
    shifter: Client, detector: Detector, action: str, sent: dict[str, str], words: str
) -> None:
    see(detector, State.IDLE)
    answer = shifter.post(f"/actions/{action}", sent, headers=HTMX)
    assert answer.status_code == 400
    assert words in Page.of(answer.content).root.text_content()
    assert not Command.objects.exists()


def test_an_observer_is_refused_even_stop(detector: Detector) -> None:
    see(detector, State.RUNNING)
    answer = person("observer", operates=False).post("/actions/stop", headers=HTMX)
    assert answer.status_code == 403
    assert "observer" in Page.of(answer.content).root.text_content()
    assert not Command.objects.exists()


def test_a_stranger_is_sent_to_the_log_in(detector: Detector) -> None:
    answer = Client().post("/actions/stop")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/actions/stop")


def test_a_link_cannot_press_a_button(shifter: Client) -> None:
    assert shifter.get("/actions/stop").status_code == 405


def test_stop_works_without_scripts(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    page = Page.of(shifter.post("/actions/stop", follow=True).content)
    assert "Stop was requested." in page.id("content").text()
    refused = Page.of(shifter.post("/actions/prepare", follow=True).content)
    assert "Prepare was refused." in refused.id("content").text()


def test_stray_files_are_set_aside_on_request_but_not_while_a_run_is_open(shifter: Client, detector: Detector) -> None:
    see(detector, State.READY)
    see_data(detector, size=512, event=3)
    page = Page.of(shifter.get("/").content)
    assert page.one('//button[@data-action="set-aside"]').enabled
    assert shifter.post("/actions/set-aside", headers=HTMX).status_code == 202
    assert Event.objects.filter(text="shifter: set stray files aside").exists()
    open_run()
    refused = shifter.post("/actions/set-aside", headers=HTMX)
    assert refused.status_code == 409
    assert b"A run is open" in refused.content
    assert person("guest", operates=False).post("/actions/set-aside", headers=HTMX).status_code == 403


class TestCrew:
    def test_a_server_is_excluded_with_a_reason_and_included_again(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        wrong = shifter.post("/actions/exclude", {"server": "ecc-cobo1", "reason": " "}, headers=HTMX)
        assert wrong.status_code == 400
        assert b"say why" in wrong.content
        sent = {"server": "ecc-cobo1", "reason": "its HV trips"}
        assert shifter.post("/actions/exclude", sent, headers=HTMX).status_code == 202
        page = Page.of(shifter.get("/").content)
        assert "its HV trips" in page.id("excluded").text()
        assert shifter.post("/actions/include", {"server": "ecc-cobo1"}, headers=HTMX).status_code == 202
        assert not Page.of(shifter.get("/").content).has("//*[@id='excluded']")

    def test_boards_that_run_for_nobody_are_adopted(self, shifter: Client, detector: Detector) -> None:
        Experiment.objects.create(name="e20009", is_active=True)
        see(detector, State.RUNNING)
        page = Page.of(shifter.get("/").content)
        assert "ecc-cobo0, ecc-cobo1, ecc-mutant" in page.id("loose").text()
        assert page.id("overall").get("data-level") == "bad"
        assert shifter.post("/actions/adopt", {"title": "found"}, headers=HTMX).status_code == 202
        assert (Run.objects.get().title, Run.objects.get().state) == ("found", "running")
        assert shifter.post("/actions/adopt", headers=HTMX).status_code == 409

    def test_restarts_and_preferences_are_for_experts(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.OFF)
        sent = {"kind": "ecc", "name": "ecc-cobo0"}
        for path, body in (("restart", sent), ("preferences", {"reconfigure_mutant": "true"})):
            refused = shifter.post(f"/actions/{path}", body, headers=HTMX)
            assert refused.status_code == 403
            assert b"role expert" in refused.content
        menu = shifter.get(f"/partials/servers/{detector.ecc_servers[0].pk}/menu", headers=HTMX)
        assert "role expert" in Page.of(menu.content).why("restart")

    def test_an_expert_restarts_from_the_menu(self, detector: Detector) -> None:
        see(detector, State.OFF)
        sam = browser(expert())
        for kind, address in (("ecc", "servers"), ("router", "routers")):
            rows = detector.ecc_servers if kind == "ecc" else detector.data_routers
            page = Page.of(sam.get(f"/partials/{address}/{rows[0].pk}/menu", headers=HTMX).content)
            assert page.button("restart").enabled
            # What is wedged loses nothing by it, what works does.
            works = None if kind == "ecc" else f"{rows[0].name} works. Restart it all the same?"
            assert page.button("restart").get("hx-confirm") == works
            sent = {one.get("name") or "": one.get("value") or "" for one in page.all("//form//input[@name='kind']")}
            sent |= {"name": rows[0].name, "confirm": "true"}
            assert sam.post("/actions/restart", sent, headers=HTMX).status_code == 202
        assert sorted(Restart.objects.values_list("subject", flat=True)) == ["ecc-cobo0", "router-cobo0"]
        assert sam.post("/actions/restart", {"kind": "rack", "name": "x"}, headers=HTMX).status_code == 400

    def test_an_expert_says_how_runs_are_started(self, detector: Detector) -> None:
        see(detector, State.READY)
        sam = browser(expert())
        assert sam.post("/actions/preferences", {"reconfigure_mutant": "true"}, headers=HTMX).status_code == 202
        assert Page.of(sam.get("/").content).has("//*[@id='reconfigure-mutant']")
        assert sam.post("/actions/preferences", headers=HTMX).status_code == 202
        assert not Page.of(sam.get("/").content).has("//*[@id='reconfigure-mutant']")
        form = Page.of(sam.get("/setup/").content).id("preferences")
        assert form.get("action") == "/actions/preferences"
        sent = {"reconfigure_mutant": "true", "page": "setup"}
        saved = Page.of(sam.post("/actions/preferences", sent, follow=True).content)
        assert saved.id("reconfigure-mutant").get("checked") is not None
        assert "The MuTAnT is configured anew before each run." in saved.id("content").text()

    def test_a_menu_without_scripts_is_a_page_of_its_own(self, shifter: Client, detector: Detector) -> None:
        see(detector, State.READY)
        for address, part in (("servers", detector.ecc_servers[0]), ("routers", detector.data_routers[0])):
            page = Page.of(shifter.get(f"/partials/{address}/{part.pk}/menu").content)
            assert page.one("//main//a[text()='Back to the status']").get("href") == "/"
            assert page.has("//header")
        assert shifter.get("/partials/routers/999999/menu").status_code == 404
