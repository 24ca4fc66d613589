"""What supervisors are told, and what the page says of the DAQ itself."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.config.version import VERSION
from attpcdaq.live import beats, database_troubles, schema
from attpcdaq.live.models import ServiceBeat
from attpcdaq.runcontrol.models import Command
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import bad_days, tokens
from tests.log_lines import logged
from tests.web.page import Page
from tests.web.people import browser, expert, operator
from tests.web.test_metrics import seen_by_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """What another test let this process meet."""
    database_troubles._Met.trouble = None
    bad_days._Said.key = ""
    schema.WATCH.doubt()


def all_beat() -> None:
    for service in ("web", "events", "celery-control", "celery-files"):
        beats.beat(service, {}, timezone.now())
    beats.beat("monitor", {"broker": 1, "term": 1}, timezone.now())
    ServiceBeat.objects.update(started_at=timezone.now() - timedelta(hours=1))


def ready() -> tuple[int, dict[str, str]]:
    answer = Client().get("/health/ready")
    return answer.status_code, answer.json()["checks"]


def fail(*_: object) -> None:
    raise OperationalError('connection failed: FATAL: password authentication failed for user "daq"')


class TestLive:
    def test_it_asks_nobody(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            answer = Client().get("/health/live")
        assert (answer.status_code, answer.content.decode()) == (200, f"alive {VERSION}\n")

    def test_a_database_that_is_away_does_not_matter(self) -> None:
        with connection.execute_wrapper(fail):
            assert Client().get("/health/live").status_code == 200


class TestReady:
    def test_all_is_well(self) -> None:
        all_beat()
        status, checks = ready()
        assert status == 200
        assert set(checks.values()) == {"ok"}
        assert {"database", "migrations", "broker", "worker control", "worker files", "monitor", "clock"} <= set(checks)

    def test_without_workers(self) -> None:
        all_beat()
        ServiceBeat.objects.filter(service="celery-control").delete()
        status, checks = ready()
        assert (status, checks["worker control"]) == (503, "fail: not running: nothing was heard of it")

    def test_what_does_not_hinder_warns(self) -> None:
        all_beat()
        ServiceBeat.objects.filter(service="events").delete()
        status, checks = ready()
        assert (status, checks["events"][:5]) == (200, "warn:")

    def test_a_clock_that_is_minutes_off(self) -> None:
        all_beat()
        build_detector(cobos=1)
        beats.beat("celery-control", {}, timezone.now(), now=lambda: timezone.now() + timedelta(minutes=3))
        status, checks = ready()
        name = beats.host_name()
        words = f"fail: the clock of {name} (celery-control) is 3 min ahead of the database's"
        assert (status, checks["clock"]) == (503, words)
        page = Page.of(browser(operator()).get("/").content)
        assert page.has("//*[@data-system='host-clock']")

    def test_a_database_that_is_away(self) -> None:
        with connection.execute_wrapper(fail):
            status, checks = ready()
        assert status == 503
        assert checks["database"] == "fail: The database does not let the DAQ in: user, password or rights are wrong."


class TestNotMigrated:
    @pytest.fixture(autouse=True)
    def _behind(self) -> None:
        MigrationRecorder(connection).record_unapplied("live", "0004_service_beats_and_monitor_lease")
        schema.WATCH.doubt()

    def test_a_page_says_what_to_run(self) -> None:
        answer = browser(operator()).get("/")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        page = Page.of(answer.content)
        assert page.has("//*[@data-trouble='not-migrated']")
        assert "run manage.py migrate" in answer.content.decode()
        assert page.has("//meta[@http-equiv='refresh']")

    def test_a_button_changes_nothing(self) -> None:
        answer = browser(operator()).post("/actions/stop")
        assert (answer.status_code, Command.objects.count()) == (503, 0)
        assert b"was not taken" in answer.content
        assert b"refresh" not in answer.content

    def test_the_api_says_it_in_json(self) -> None:
        answer = Client().get("/api/v1/status")
        assert answer.status_code == 503
        assert answer.json() == {"detail": "The database is not migrated (1 to do): run manage.py migrate."}

    def test_it_is_not_ready_and_alive(self) -> None:
        assert ready()[0] == 503
        assert Client().get("/health/live").status_code == 200

    def test_once_it_is_migrated_it_goes_on(self) -> None:
        client = browser(operator())
        assert client.get("/").status_code == 503
        MigrationRecorder(connection).record_applied("live", "0004_service_beats_and_monitor_lease")
        schema.WATCH.doubt()
        assert client.get("/").status_code == 200


def test_a_newer_database_is_refused_the_same_way() -> None:
    MigrationRecorder(connection).record_applied("runcontrol", "0999_later")
    schema.WATCH.doubt()
    answer = browser(operator()).get("/")
    assert answer.status_code == 503
    assert "newer than this program" in answer.content.decode()


class TestDatabaseFails:
    """In the middle of a request: of the views, of the middleware before them, of the API."""

    @pytest.mark.parametrize("address", ["/", "/runs/", "/setup/", "/audit/", "/api/v1/status", "/metrics"])
    def test_every_address_says_it_plainly(self, address: str, caplog: pytest.LogCaptureFixture) -> None:
        client = browser(operator())
        client.raise_request_exception = False
        client.get("/health/live")
        assert schema.WATCH.problem() == ""
        with connection.execute_wrapper(fail):
            answer = client.get(address)
        assert answer.status_code == 503
        text = answer.json()["detail"] if "api" in address else answer.content.decode()
        assert "user, password or rights are wrong" in text
        assert "Traceback" not in caplog.text
        assert f"GET {address}: The database does not let the DAQ in" in caplog.text

    def test_open_pages_that_ask_again_and_again_do_not_fill_the_log(self) -> None:
        client = browser(operator())
        client.raise_request_exception = False
        assert schema.WATCH.problem() == ""
        with logged() as lines, connection.execute_wrapper(fail):
            answers = [client.get("/partials/status?panels=overall").status_code for _ in range(5)]
            answers += [client.post("/actions/stop").status_code for _ in range(2)]
        assert answers == [503] * 7
        said = [line["event"].partition(":")[0] for line in lines() if line["logger"] == "attpcdaq.web.bad_days"]
        assert said == ["GET /partials/status", "POST /actions/stop", "POST /actions/stop"]
        asked = [line for line in lines() if line["logger"] == "attpcdaq.web.request_ids"]
        assert [(line["method"], line["status"]) for line in asked] == [("POST", 503)] * 2

    def test_a_token_is_no_way_around_it(self) -> None:
        token = tokens.create("t", operator(), DAQ)
        with connection.execute_wrapper(fail):
            answer = Client().get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, "rights are wrong" in answer.json()["detail"]) == (503, True)

    @pytest.mark.django_db(transaction=True)
    def test_a_full_disk_is_shown_on_the_page_that_can_still_be_read(self) -> None:
        build_detector(cobos=1)
        all_beat()
        client = browser(operator())
        client.raise_request_exception = False

        def full(execute, sql, params, many, context):
            if sql.startswith(("INSERT", "UPDATE")):
                raise OperationalError('could not extend file "base/5/1": No space left on device')
            return execute(sql, params, many, context)

        with connection.execute_wrapper(full):
            answer = client.post("/actions/control", {"action": "take"})
            assert answer.status_code == 503
            assert "The disk of the database is full" in answer.content.decode()
            page = Page.of(client.get("/").content)
        assert page.has("//*[@data-system='database-full']")

    def test_a_fault_of_ours_is_still_our_fault(self) -> None:
        client = browser(operator())
        client.raise_request_exception = False

        def wrong(*_: object) -> None:
            raise DatabaseError("UNIQUE constraint failed")

        assert schema.WATCH.problem() == ""
        with connection.execute_wrapper(wrong):
            assert client.get("/").status_code == 500

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("address", ["/", "/api/v1/status"])
    @pytest.mark.parametrize("statement", ["SELECT nothing FROM auth_user", "SELEKT 1"])
    def test_so_is_a_statement_that_is_wrong(
        self, address: str, statement: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = browser(operator())
        client.raise_request_exception = False

        def wrong(execute, sql, params, many, context):
            ours = 'FROM "runlog_run"' in sql
            return execute(statement, None, many, context) if ours else execute(sql, params, many, context)

        with connection.execute_wrapper(wrong):
            assert client.get(address).status_code == 500
        assert "Traceback" in caplog.text


class TestNotices:
    def cards(self, client: Client) -> dict[str, str]:
        page = Page.of(client.get("/").content)
        return {str(card.get("data-system")): str(card.get("data-level")) for card in page.all("//*[@data-system]")}

    def test_a_system_that_is_well_shows_none(self) -> None:
        build_detector(cobos=1)
        all_beat()
        assert self.cards(browser(operator())) == {}

    def test_a_missing_worker_is_shown_with_what_to_do(self) -> None:
        build_detector(cobos=1)
        all_beat()
        ServiceBeat.objects.filter(service="celery-control").update(at=timezone.now() - timedelta(minutes=5))
        assert self.cards(browser(operator())) == {"worker-away": "bad"}
        shifter, other = (browser(who).get("/").content.decode() for who in (operator(), expert()))
        assert "An administrator starts the worker for commands" in shifter
        assert "/help/troubles/#no-worker-takes-commands" in shifter
        assert "last seen on" not in shifter
        assert f"worker control: last seen on {beats.host_name()} 5 min ago" in other

    def test_the_partial_says_the_same(self) -> None:
        build_detector(cobos=1)
        all_beat()
        ServiceBeat.objects.filter(service="monitor").update(at=timezone.now() - timedelta(minutes=5))
        ServiceBeat.objects.filter(service="celery-files").update(at=timezone.now() - timedelta(minutes=5))
        page = Page.of(browser(operator()).get("/partials/status?panels=attention").content)
        assert page.has("//*[@data-system='files-worker-away']")
        # one card is enough: the status itself says that nobody reads the hardware
        assert page.has("//*[@data-trouble='monitor-away']")
        assert not page.has("//*[@data-system='monitor-silent']")

    def test_it_costs_the_page_one_query(self) -> None:
        seen_by_all()
        all_beat()
        client = browser(operator())
        client.get("/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        about = [each["sql"] for each in asked if "servicebeat" in each["sql"] or "django_migrations" in each["sql"]]
        assert len(about) == 1


def test_the_answer_is_small_and_plain() -> None:
    answer = json.loads(Client().get("/health/ready").content)
    assert set(answer) == {"ready", "version", "checks"}
