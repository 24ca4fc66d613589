"""The main job through nginx with the simulated detector, and every container killed while a run is on."""

import json
import time

from tests.deploy.crew import Crew
from tests.deploy.detector import Detector, missing
from tests.deploy.door import Api, Browser, Door
from tests.deploy.programs import Failed, must
from tests.deploy.runner import Checks, expect, wait_for
from tests.deploy.stack import Stack

EXPERIMENT = "demo"
SERVERS = 11
# Faster than life, where time is all that an operation of the simulated boards costs.
SPEED, EVENT_RATE = 10.0, 5.0
# Seconds from the kill to healthy again, with what a start takes on a busy machine of two cores.
BACK_WITHIN = {
    "web": 40, "events": 40, "celery": 40, "celery-files": 40, "monitor": 40, "rabbitmq": 90, "db": 40, "nginx": 20,
}  # fmt: skip
TAKEN_OVER_WITHIN = 10
TERM = "SELECT term FROM live_monitorlease"
ROWS = "SELECT (SELECT count(*) FROM runlog_run), (SELECT count(*) FROM audit_entry), (SELECT max(id) FROM live_event)"


def check_simulator(checks: Checks, stack: Stack) -> Crew:
    """A crew at work on the simulated detector."""
    with checks("`up --simulator`: a simulated detector is the setup; passwords and keys stay", needed=True):
        before = stack.secrets()
        said = stack.verb("up", "--simulator")
        expect(before == stack.secrets(), "another `up` has changed them")
        expect("one-time password " not in said, said)
        Detector(stack).speed(SPEED, EVENT_RATE)
    with checks("an account and a token from the console; all 11 ECC servers are seen idle", needed=True):
        stack.manage("role", "checker", "shifter", "--create")
        token = stack.manage("token", "create", "test-deploy", "--user", "checker").split()[-1]
        crew = Crew(Api(Door(stack), token))
        crew.take_control()
        wait_for(lambda: crew.states() == {"idle"}, "every ECC server in Idle", 30)
        expect(len(crew.api.status()["ecc_servers"]) == SERVERS)
    return crew


def check_run(checks: Checks, stack: Stack, crew: Crew, browser: Browser) -> None:
    """Ready, Start, files, Stop, closed, manifest."""
    detector = Detector(stack)
    with checks("all to Ready", needed=True):
        crew.make_ready()
    before = detector.frames()
    with checks("Start: the run is on, and every node has a file", needed=True):
        crew.do("start", title="through nginx", run_class="production")
        expect(crew.api.status()["run"]["state"] == "running")
        wait_for(lambda: len(detector.staged()) >= SERVERS, "a file on every node", 20)
    with checks("the page is told what happens by the event stream, through nginx and at once") as note:
        note(f"first event after {_first_event(crew.api.door, browser):.1f} s")
    with checks("Stop: the run is closed and its files are where the analysis looks for them", needed=True) as note:
        stop = crew.do("stop")
        run = crew.see_closed(1)
        expect(run["verdict"] == "", run["verdict"])
        expect(detector.staged() == [])
        note(f"{len(run['files'])} files")
    _check_files(checks, crew, detector, before, 1)
    with checks("one id follows the click through web, worker and file worker; the metrics count it"):
        for service in ("web", "celery", "celery-files"):
            expect(stop["request_id"] in stack.log(service), f"{service} says nothing of {stop['request_id']}")
        page = crew.api.door.get("/metrics", Authorization=f"Bearer {crew.api.token}")
        expect((page.status, "attpcdaq_runs{" in page.text) == (200, True), page.text[:300])


def _check_files(
    checks: Checks, crew: Crew, detector: Detector, before: dict[str, tuple[int, int]], number: int
) -> None:
    with checks(f"run {number}: every frame that was sent is in a file of the run") as note:
        kept = detector.in_files(f"{EXPERIMENT}/run_{number:04d}")
        wrong = missing(before, detector.frames(), kept)
        if wrong:
            raise Failed("\n".join(wrong))
        events = {tuple(node["events"]) for node in kept.values()}
        expect(len(events) == 1, {node: len(one["events"]) for node, one in kept.items()})
        note(f"{sum(node['frames'] for node in kept.values())} frames, {len(next(iter(events)))} events on each node")
    with checks(f"run {number}: the manifest says that it is complete"):
        found = crew.manifest(EXPERIMENT, number)
        expect(found["verdict"] == "complete", json.dumps(found.get("reasons"))[:800])


def _first_event(door: Door, browser: Browser) -> float:
    """Seconds until the stream says something."""
    connection = door.open()
    began = time.monotonic()
    try:
        connection.request("GET", "/events/stream", headers={"Cookie": browser.cookies()})
        answer = connection.getresponse()
        if answer.status != 200 or not answer.readline():
            raise Failed(f"the stream was answered {answer.status}: {answer.read(300)!r}")
        return time.monotonic() - began
    finally:
        connection.close()


def check_kills(checks: Checks, stack: Stack, crew: Crew) -> None:
    """One run, during which each container's main process is killed in turn."""
    detector = Detector(stack)
    before = detector.frames()
    with checks("Start of the run in which all is killed", needed=True):
        crew.do("start", title="kills", run_class="production")
        wait_for(lambda: len(detector.staged()) >= SERVERS, "a file on every node", 20)
    _check_second_monitor(checks, stack, crew)
    for service, seconds in BACK_WITHIN.items():
        _check_kill(checks, stack, crew, service, seconds)
    with checks("after all kills: Stop works, and the run is closed", needed=True):
        wait_for(lambda: crew.api.status()["monitor_alive"], "the monitor", 30)
        crew.do("stop")
        crew.see_closed(2)
    _check_files(checks, crew, detector, before, 2)


def _check_kill(checks: Checks, stack: Stack, crew: Crew, service: str, seconds: float) -> None:
    with checks(f"kill -9 {service}: back, the run goes on, no row is lost") as note:
        rows = _rows(stack)
        began = time.monotonic()
        stack.wait_until_back(service, stack.kill(service), seconds)
        note(f"healthy after {time.monotonic() - began:.0f} s")
        wait_for(lambda: _goes_on(crew), "the run, seen as running by all ECC servers", 30)
        wait_for(lambda: Door(stack).get("/health/ready").status == 200, "/health/ready", 30)
        note(f"all ready after {time.monotonic() - began:.0f} s")
        expect(all(now >= then for now, then in zip(_rows(stack), rows, strict=True)), (rows, _rows(stack)))


def _check_second_monitor(checks: Checks, stack: Stack, crew: Crew) -> None:
    with checks(f"two monitors: the second takes over within {TAKEN_OVER_WITHIN} s") as note:
        stack.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", "monitor=2", "monitor")
        holder, term = f"{stack.project}-monitor-1", stack.ask(TERM)
        # Nobody starts it again: that is how a computer goes away.
        must("docker", "kill", holder)
        began = time.monotonic()
        wait_for(lambda: stack.ask(TERM) != term, "the lease to change hands", TAKEN_OVER_WITHIN)
        note(f"after {time.monotonic() - began:.1f} s")
        wait_for(lambda: _goes_on(crew), "fresh readings of the run", 20)
        must("docker", "rm", holder)
        stack.compose("up", "--detach", "--no-deps", "--no-recreate", "--wait", "--scale", "monitor=1", "monitor")


def _goes_on(crew: Crew) -> bool:
    status = crew.api.status()
    fresh = all(server["age"] is not None and server["age"] < 5 for server in status["ecc_servers"])
    return fresh and status["monitor_alive"] and status["run"]["state"] == "running" and crew.states() == {"running"}


def _rows(stack: Stack) -> list[int]:
    return [int(number) for number in stack.ask(ROWS).split("|")]
