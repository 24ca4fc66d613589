"""Log lines: one shape, whatever is logged, and no secret in any of them."""

import io
import logging
import logging.config
import threading
from contextvars import copy_context
from datetime import UTC, datetime

import pytest
from structlog.contextvars import bound_contextvars

from attpcdaq.config.logs import Form, line_formatter, one_handler, service_of
from attpcdaq.config.masking import masker, password_in
from tests.log_lines import lines_of, logged

logger = logging.getLogger("attpcdaq.test")
TOKEN = "attpcdaq_" + "aB3-_" * 8 + "xyz"


def test_a_line_has_the_keys_in_their_order_and_what_is_bound() -> None:
    before = datetime.now(UTC)
    with logged() as lines, bound_contextvars(command="c-1", request_id="click-0001", run="e1 run 4"):
        logger.warning("%d frames", 3, extra={"server": "ecc-cobo3", "ms": 12, "data": object()})
    (line,) = lines()
    assert list(line) == [
        "time", "level", "logger", "event", "service", "request_id", "command", "run", "server", "ms",
    ]  # fmt: skip
    assert (line["level"], line["logger"], line["event"]) == ("WARNING", "attpcdaq.test", "3 frames")
    assert (line["service"], line["request_id"], line["server"], line["ms"]) == ("test", "click-0001", "ecc-cobo3", 12)
    written = datetime.fromisoformat(line["time"])
    assert line["time"].endswith("Z")
    assert abs((written - before).total_seconds()) < 5


def test_nothing_is_bound_any_more_afterwards_and_other_threads_have_their_own() -> None:
    with logged() as lines:
        with bound_contextvars(request_id="click-0001"):
            context = copy_context()
            alone = threading.Thread(target=logger.info, args=("alone",))
            taken_along = threading.Thread(target=context.run, args=(logger.info, "taken along"))
            for thread in (alone, taken_along):
                thread.start()
                thread.join(5)
        logger.info("after")
    assert {line["event"]: line.get("request_id") for line in lines()} == {
        "alone": None,
        "taken along": "click-0001",
        "after": None,
    }


def test_text_is_one_line_for_people_and_an_exception_follows_it() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(line_formatter("text", "web"))
    logger.addHandler(handler)
    try:
        with bound_contextvars(request_id="click-0001"):
            logger.warning("GET /x\n2026-01-01 forged\x1b[2J", extra={"status": 404, "path": "/x"})
            try:
                raise ValueError("no frame\x1b[2J")
            except ValueError:
                logger.exception("reading failed")
    finally:
        logger.removeHandler(handler)
    first, second, *trace = stream.getvalue().splitlines()
    said = r"WARNING attpcdaq.test: GET /x\n2026-01-01 forged\x1b[2J [request_id=click-0001 status=404]"
    assert first[24:] == said
    assert second[24:] == "ERROR attpcdaq.test: reading failed [request_id=click-0001]"
    assert trace[0].startswith("Traceback")
    assert trace[-1] == r"ValueError: no frame\x1b[2J"


def test_an_exception_is_one_key_of_the_json_line() -> None:
    with logged(secrets=["db-password"]) as lines:
        try:
            raise ValueError("cannot log in with db-password")
        except ValueError:
            logger.exception("%s failed", "it")
    (line,) = lines()
    assert line["event"] == "it failed"
    assert line["exception"].splitlines()[-1] == "ValueError: cannot log in with ***"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("postgresql://daq:pa:ss@w@db:5432/daq?x=1", "postgresql://daq:***@db:5432/daq?x=1"),
        ("amqps://:geheim@rabbitmq//", "amqps://:***@rabbitmq//"),
        ("http://10.0.0.1:8083/ answered", "http://10.0.0.1:8083/ answered"),
        ("Authorization: Bearer abc.DEF-123", "Authorization: Bearer ***"),
        ("authorization: Basic ZGFxOmRhcQ==", "authorization: Basic ***"),
        (f"token {TOKEN} is unknown", "token *** is unknown"),
        ("token analysis from 10.0.0.7", "token analysis from 10.0.0.7"),
        ("password=hunter2&user=kim", "password=***&user=kim"),
        ("{'new_password1': 'a b c', 'n': 1}", "{'new_password1': ***, 'n': 1}"),
        ('{"secret": "x", "n": 1}', '{"secret": ***, "n": 1}'),
        (r'body "{\"password\": \"hunter2\"}"', r'body "{\"password\": ***}"'),
        ("Cookie: attpcdaq_session=abc; attpcdaq_csrf=def", "Cookie: ***; attpcdaq_csrf=***"),
        ("csrfmiddlewaretoken=abc", "csrfmiddlewaretoken=***"),
        ("ATTPCDAQ_SECRET_KEY = abc", "ATTPCDAQ_SECRET_KEY = ***"),
        ("password authentication failed for user \"daq\"", "password authentication failed for user \"daq\""),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n", "-----BEGIN OPENSSH PRIVATE KEY-----***"),
        ("it is swordfish, quoted sword%2Ffish2", "it is ***, quoted ***"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_and_what_is_known_to_be_one(said: str, written: str) -> None:
    assert masker(["swordfish", "sword/fish2", "daq"])(said) == written


def test_values_are_masked_too_and_what_is_named_a_secret_whole() -> None:
    with logged() as lines, bound_contextvars(api_token="abc def", request_id="click-0001"):
        logger.info("asked", extra={"path": f"/x/{TOKEN}"})
    (line,) = lines()
    assert (line["path"], line["api_token"], line["request_id"]) == ("/x/***", "***", "click-0001")


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://daq:sword%2Ffish@db/daq", "sword/fish"),
        ("amqp://rabbitmq//", ""),
        ("sqlite:////data/db.sqlite3", ""),
    ],
)
def test_passwords_of_the_settings(url: str, password: str) -> None:
    assert password_in(url) == password


@pytest.mark.parametrize(
    ("argv", "service"),
    [
        (["/usr/bin/gunicorn", "-c", "x", "-k", "gthread", "attpcdaq.config.wsgi"], "web"),
        (["/x/gunicorn/__main__.py", "--worker-class", "asgi", "attpcdaq.config.asgi"], "events"),
        (["/x/celery/__main__.py", "-A", "attpcdaq.config.celery", "worker", "-Q", "control"], "celery"),
        (["celery", "worker", "--queues", "files"], "celery-files"),
        (["celery", "worker", "--queues", "control,files"], "celery"),
        (["/app/manage.py", "monitor", "--skip-checks"], "monitor"),
        (["manage.py"], ""),
        (["-c"], ""),
    ],
)
def test_a_process_knows_its_name(argv: list[str], service: str) -> None:
    assert service_of(argv) == service


@pytest.mark.parametrize("form", ["text", "json"])
def test_libraries_with_handlers_of_their_own_write_through_ours(
    form: Form, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Gunicorn's and Django's loggers are when they have set themselves up."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers, gunicorn.propagate = [logging.StreamHandler()], False
    try:
        logging.config.dictConfig(one_handler(form, "WARNING", "web"))
        gunicorn.info("Booting worker")
        logging.config.dictConfig(one_handler(form, "DEBUG", "web"))
        gunicorn.info("Listening at: %s", "http://127.0.0.1:8001")
        logging.getLogger("django.request").warning("Not Found: /x")
        logging.getLogger("celery.worker.strategy").info("Task received")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    (line,) = capsys.readouterr().err.splitlines()
    assert "Listening at: http://127.0.0.1:8001" in line
    if form == "json":
        assert lines_of(line)[0]["logger"] == "gunicorn.error"
