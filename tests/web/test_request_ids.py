"""The id of a request: taken or made, given back, kept with the command, shown where something went wrong."""

import json
import logging
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from structlog.contextvars import bound_contextvars, get_contextvars

from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.models import Command
from attpcdaq.testing.builders import Detector, build_detector
from attpcdaq.web.request_ids import HEADER, identified, request_id_of, tell
from get_protocol.state_machine import State
from tests.log_lines import Line, logged
from tests.web.page import Page
from tests.web.people import browser, observer, operator
from tests.web.seen import see

pytestmark = pytest.mark.django_db
CLICK = "click-0123456789"
MADE = re.compile("[0-9a-f]{32}")


@pytest.fixture
def detector() -> Detector:
    return build_detector(cobos=2)


@pytest.fixture
def shifter(db: None) -> Client:
    return browser(operator())


def of_requests(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["logger"] == "attpcdaq.web.request_ids"]


@pytest.mark.parametrize("given", ["a" * 8, "A-9" * 21, CLICK])
def test_a_given_id_comes_back(given: str, client: Client) -> None:
    assert client.get("/login/", headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize(
    "given", ["", "a" * 7, "a" * 65, "abcdefg h", "abcdefg\n1", "abcdefgé", "<script>alert(1)</script>"]
)
def test_what_is_no_id_is_replaced(given: str, client: Client) -> None:
    assert MADE.fullmatch(client.get("/login/", headers={HEADER: given}).headers[HEADER])


def test_every_answer_has_one(client: Client, shifter: Client) -> None:
    found = [client.get(path).headers[HEADER] for path in ("/nowhere", "/", "/events/stream", "/api/v1/status")]
    found += [shifter.post("/login/").headers[HEADER]]
    assert all(MADE.fullmatch(one) for one in found)
    assert len(set(found)) == len(found)


async def test_under_asgi_too_with_the_event_stream() -> None:
    answer = await AsyncClient().get("/events/stream", headers={HEADER: CLICK})
    assert (answer.status_code, answer.headers[HEADER]) == (401, CLICK)
    assert not get_contextvars()


def test_it_is_bound_while_the_request_is_answered_and_no_longer() -> None:
    seen: list[object] = []

    def view(request: object) -> HttpResponse:
        seen.append(get_contextvars()["request_id"])
        return HttpResponse()

    request = RequestFactory().get("/", headers={HEADER: CLICK})
    identified(view)(request)
    assert seen == [CLICK] == [request_id_of(request)]
    assert "request_id" not in get_contextvars()


@pytest.mark.django_db(transaction=True)
def test_the_command_keeps_it_and_the_api_tells_it(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    with logged() as lines:
        assert shifter.post("/actions/describe", headers={HEADER: CLICK}).status_code == 302
    command = Command.objects.get()
    assert command.request_id == CLICK
    assert shifter.get(f"/api/v1/commands/{command.pk}").json()["request_id"] == CLICK
    assert shifter.get("/api/v1/status").json()["command"]["request_id"] == CLICK
    accepted, answered = lines()[-2:]
    assert (accepted["request_id"], accepted["command"]) == (CLICK, str(command.pk))
    assert accepted["event"].startswith("Describe for the whole system is accepted")
    assert (answered["request_id"], answered["method"], answered["path"]) == (CLICK, "POST", "/actions/describe")
    assert (answered["status"], answered["user"]) == (302, "kim")


def test_the_audit_trail_keeps_it_also_of_what_is_no_command(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    sent = {"server": "ecc-cobo1", "reason": "its HV trips"}
    assert shifter.post("/actions/exclude", sent, headers={HEADER: CLICK}).status_code == 302
    assert shifter.post("/actions/configure", headers={HEADER: f"{CLICK}-2"}).status_code == 302
    lines = shifter.get(f"/api/v1/audit?text={CLICK}").json()
    assert [(line["what"], line["outcome"], line["request_id"]) for line in lines] == [
        ("configure", "refused", f"{CLICK}-2"),
        ("exclude", "done", CLICK),
        ("control", "done", CLICK),
    ]
    page = Page.of(shifter.get(f"/audit/?text={CLICK}-2").content)
    assert [cell.get("title") for cell in page.root.xpath("//*[@id='audit']//td[@data-label='From']")] == [
        f"Request ID {CLICK}-2"
    ]


def test_looking_is_not_logged_and_failing_is(shifter: Client, detector: Detector) -> None:
    see(detector, State.IDLE)
    with logged() as lines:
        for path in ("/", "/partials/status?panels=overall", "/api/v1/status", "/runs/"):
            assert shifter.get(path).status_code == 200
        assert not of_requests(lines())
        shifter.get("/nowhere?token=abc")
    (line,) = of_requests(lines())
    assert (line["level"], line["status"], line["path"], line["user"]) == ("INFO", 404, "/nowhere", "kim")


@pytest.mark.parametrize(("seconds", "count"), [(0.9, 0), (1.1, 1)])
def test_what_is_slow_is_logged(seconds: float, count: int) -> None:
    with logged() as lines:
        tell(RequestFactory().get("/runs/"), HttpResponse(), seconds)
    assert [line["ms"] for line in lines()] == [1100] * count


@pytest.mark.urls("tests.web.failing_urls")
@pytest.mark.parametrize("path", ["/broken", "/broken-async"])
def test_the_page_of_a_failure_says_it_and_so_does_the_log(path: str) -> None:
    client = browser(operator())
    client.raise_request_exception = False
    with logged() as lines:
        answer = client.get(path, headers={HEADER: CLICK})
    assert (answer.status_code, answer.headers[HEADER]) == (500, CLICK)
    assert Page.of(answer.content).root.get_element_by_id("request-id").text == CLICK
    failed = next(line for line in lines() if line["level"] == "ERROR")
    assert failed["request_id"] == CLICK
    assert "LookupError: a fault of ours" in failed["exception"]


@pytest.mark.urls("tests.web.failing_urls")
def test_the_api_says_it_with_a_failure() -> None:
    answer = browser(operator()).get("/broken-api/broken", headers={HEADER: CLICK})
    assert answer.status_code == 500
    assert f"(request ID {CLICK})" in answer.json()["detail"]


def test_a_refused_page_says_it() -> None:
    answer = browser(observer()).post("/setup/easy", headers={HEADER: CLICK})
    assert answer.status_code == 403
    assert Page.of(answer.content).root.get_element_by_id("request-id").text == CLICK


def test_a_task_without_a_command_carries_it_to_the_worker() -> None:
    messages = Path(urlsplit(settings.CELERY_BROKER_URL).path) / "messages"
    with bound_contextvars(request_id=CLICK):
        publish.publish_check_files(4711).result(10)
    publish.publish_check_files(4712).result(10)
    headers = [json.loads(path.read_text())["headers"] for path in messages.glob("*.files.msg")]
    ids = {header["argsrepr"]: header.get("request_id") for header in headers}
    assert (ids["(4711,)"], ids["(4712,)"]) == (CLICK, None)


def test_a_worker_binds_it_for_the_task_alone() -> None:
    from attpcdaq.runcontrol.tasks import check_files

    with logged(logging.INFO) as lines:
        check_files.apply(args=(4711,), headers={"request_id": CLICK})
        check_files.apply(args=(4712,))
    told = [line.get("request_id") for line in lines() if "succeeded" in line["event"]]
    assert told == [CLICK, None]
    assert not get_contextvars()
