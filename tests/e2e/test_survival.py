"""Parts of the production system die, stand still and come back, while somebody takes runs."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from statistics import median

import pytest

from tests.chaos.real_check import check
from tests.chaos.real_crew import Crew
from tests.chaos.real_kills import RIGHT_WITHIN, end_the_last_run, kill_through_cycles, schedule
from tests.chaos.real_measures import STOP_WITHIN, page_times, start_together, stop_with
from tests.chaos.real_parts import Real, running_real
from tests.e2e.http_json import AWAY
from tests.e2e.http_pages import log_in, open_stream, read_until
from tests.e2e.waiting import wait_for

SEED = 3
# Generous, since other tests run beside it; who waited for the operation would wait for two minutes.
PAGES_WITHIN = 1.0
BOARDS = 11


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with running_real(tmp_path_factory.mktemp("survival")) as real:
        wait_for(lambda: real.system.all_in("idle"), "the monitor to see every server", 30)
        yield real


@pytest.mark.parametrize("people", [2, 20])
def test_starts_pressed_at_once_make_one_run(real: Real, people: int) -> None:
    before = len(real.system.runs())
    answers = start_together(real, people)
    assert answers == {202: 1, 409: people - 1}
    assert len(real.system.runs()) == before + 1


@pytest.mark.parametrize("dead", ["broker frozen", "worker killed"])
def test_stop_reaches_the_boards_whatever_is_dead(real: Real, dead: str) -> None:
    part = real.parts[dead.split(maxsplit=1)[0]]
    harm, mend = (part.freeze, part.thaw) if "frozen" in dead else (part.kill, part.restart)
    seconds, _ = stop_with(real, harm, mend)
    assert seconds < STOP_WITHIN


def test_pages_answer_while_an_operation_waits(real: Real) -> None:
    times = page_times(real, 3.0)
    slow = {page: seconds for page, seconds in times.items() if median(seconds) > PAGES_WITHIN}
    assert not slow


def test_what_is_killed_comes_back_and_the_run_log_tells_what_happened(real: Real) -> None:
    kills = kill_through_cycles(real, SEED, schedule(random.Random(SEED), 1))
    assert kills.stuck == []
    assert end_the_last_run(real, Crew(real, random.Random(SEED))) == ""
    assert check(real.database_url, real.system.journal(0), BOARDS).all() == []


def test_a_command_that_nobody_took_in_time_does_not_run_later(real: Real) -> None:
    real.system.ready()
    real.parts["worker"].kill()
    command = real.system.request("breakup")
    expired = real.system.finished(command, 40)
    since = real.system.truth()["seq"]
    real.parts["worker"].restart()
    assert expired["state"] == "expired"
    real.system.do("breakup", ecc_servers=["ecc-cobo0"])
    calls = [entry["subject"] for entry in real.system.journal(since) if entry["kind"] == "call"]
    assert calls == ["ecc-cobo0"]


@pytest.mark.parametrize("kind", ["database", "web"])
def test_an_open_event_stream_goes_on_or_ends_and_a_new_one_tells_what_happens(real: Real, kind: str) -> None:
    real.system.ready()
    cookies = log_in(real.system, real.password)
    before = open_stream(real.system, cookies)
    read_until(before, "event: beat")
    real.parts[kind].kill()
    back = real.parts[kind].restart()
    read_to_the_end(before, "event: reset")
    stream = wait_for(lambda: opened(real, cookies), "the stream to be back")
    assert time.monotonic() - back < RIGHT_WITHIN
    real.system.do("breakup", ecc_servers=["ecc-cobo0"])
    assert "event: change" in read_until(stream, '"command"')


def read_to_the_end(stream: HTTPResponse, words: str) -> None:
    """Until these words, or the end (a browser opens the stream anew); one that is silent for 20 s is an error."""
    with suppress(HTTPException, ConnectionError):
        while (line := stream.readline().decode()) and words not in line:
            pass


def opened(real: Real, cookies: str) -> HTTPResponse | None:
    """A new event stream, when there is one."""
    try:
        stream = open_stream(real.system, cookies)
        read_until(stream, "event: beat")
    except (AssertionError, *AWAY):
        return None
    return stream
