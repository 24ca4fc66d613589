"""How messages get to workers through the real RabbitMQ: none is lost, and none of control waits behind file work."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import amqp
import pytest

from attpcdaq.demo import programs
from tests.e2e.waiting import wait_for
from tests.services.processes import LOOPBACK, Process, stopped_at_the_end
from tests.services.rabbitmq import RabbitMQ, running_rabbitmq

ROOT = Path(__file__).resolve().parents[2]
PUBLISH = """
import json, sys
from attpcdaq.config.celery import app
for line in sys.stdin:
    queue, args = json.loads(line)
    try:
        app.send_task("tests.config.delivery_tasks.work", args=args, queue=queue, retry=False)
        print("sent", flush=True)
    except Exception as error:  # whatever kept it from being sent is the answer
        print(f"not sent: {error!r}", flush=True)
"""
FLOOD = 200
SOON = 2.0
STARTED_WITHIN = 90.0
pytestmark = pytest.mark.services


class Post:
    """A broker, who publishes to it as the product does, and workers with names of their own."""

    def __init__(self, directory: Path, broker: RabbitMQ, ends: ExitStack) -> None:
        self.directory, self.broker, self._ends = directory, broker, ends
        self._environment = {
            **os.environ,
            "ATTPCDAQ_DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
            "ATTPCDAQ_BROKER_URL": broker.url(),
            "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
            "PYTHONPATH": str(ROOT),
        }
        for folder in ("begun", "ended"):
            (directory / folder).mkdir()
        self._run("manage.py", "migrate", "-v0")
        command = [sys.executable, "-c", PUBLISH]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._publisher = ends.enter_context(
            subprocess.Popen(command, cwd=ROOT, env=self._environment, text=True, **pipes)
        )
        ends.callback(self._publisher.kill)

    def _run(self, *words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self._environment, check=True, timeout=120)

    def worker(self, name: str, queues: str, threads: int = 2) -> Process:
        """A worker, as on a host of that name."""
        place = self.directory / name
        place.mkdir()
        more = ["--include", "tests.config.delivery_tasks", "--hostname", f"celery@{name}"]
        command = [*programs.celery(queues, threads=threads), *more]
        process = Process(command, place, environment=self._environment | {"WORKER": name})
        self._ends.enter_context(stopped_at_the_end(process))
        return process

    def start_broker(self) -> None:
        """Again, after it was stopped or killed; it answers then."""
        self.broker.process.start()
        self.broker.process.wait_until(self.broker.answers, STARTED_WITHIN)

    def publish(self, queue: str, name: str, directory: Path | None = None) -> str:
        """What came of it: "sent" once the broker has confirmed it."""
        assert self._publisher.stdin is not None
        assert self._publisher.stdout is not None
        self._publisher.stdin.write(json.dumps([queue, [str(directory or self.directory), name]]) + "\n")
        self._publisher.stdin.flush()
        return str(self._publisher.stdout.readline().strip())

    def publish_all(self, queue: str, names: list[str]) -> None:
        assert {self.publish(queue, name) for name in names} == {"sent"}

    def seen(self, folder: str) -> dict[str, set[str]]:
        """Task -> workers that began (or ended) it."""
        found: dict[str, set[str]] = {}
        for path in (self.directory / folder).iterdir():
            name, _, worker = path.name.partition(".")
            found.setdefault(name, set()).add(worker)
        return found

    def let_go(self) -> None:
        (self.directory / "go").touch()


def ready(*workers: Process) -> None:
    for worker in workers:
        worker.wait_until(lambda worker=worker: worker.says(" ready."), STARTED_WITHIN)


@contextmanager
def running_post(directory: Path) -> Iterator[Post]:
    with ExitStack() as ends:
        yield Post(directory, ends.enter_context(running_rabbitmq()), ends)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    with running_post(tmp_path) as made:
        yield made


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_what_was_sent_outlives_the_broker(post: Post) -> None:
    """Quorum queues, and a broker that is killed without a word between sending and receiving."""
    ready(first := post.worker("maker", "control,files"))
    first.stop()  # it has made the queues
    with amqp.Connection(f"{LOOPBACK}:{post.broker.port}") as connection:
        for queue in ("control", "files"):
            quorum = {"x-queue-type": "quorum"}
            connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=quorum)
            with pytest.raises(amqp.PreconditionFailed):
                connection.channel().queue_declare(queue, durable=True, auto_delete=False)
    # RabbitMQ 3.10 notes late who leads a new queue: killed in the queue's first seconds it does not know any more.
    post.broker.process.stop()
    post.start_broker()
    post.let_go()
    sent = [*names("c", 20), *names("f", 20)]
    post.publish_all("control", sent[:20])
    post.publish_all("files", sent[20:])
    post.broker.process.kill()
    post.start_broker()
    ready(post.worker("daq1", "control"), post.worker("daq2", "files"))
    wait_for(lambda: set(post.seen("ended")) == set(sent), "every task to be done", 60)


def test_what_the_broker_did_not_confirm_is_not_taken_for_sent(post: Post) -> None:
    assert post.publish("control", "before") == "sent"
    post.broker.process.freeze()
    try:
        assert post.publish("control", "meanwhile").startswith("not sent:")
    finally:
        post.broker.process.thaw()


def test_what_a_killed_worker_had_begun_another_host_does(post: Post) -> None:
    """Tasks are acknowledged when they are done, by whichever host has taken them."""
    first, second = post.worker("daq1", "files"), post.worker("daq2", "files")
    ready(first, second)
    post.publish_all("files", names("f", 8))
    wait_for(
        lambda: {frozenset(who) for who in post.seen("begun").values()} == {frozenset({"daq1"}), frozenset({"daq2"})},
        "both hosts to have begun tasks",
        30,
    )
    left = {name for name, who in post.seen("begun").items() if who == {"daq1"}}
    first.kill()
    post.let_go()
    wait_for(lambda: set(post.seen("ended")) == set(names("f", 8)), "every task to be done", 60)
    assert left
    assert all("daq2" in post.seen("ended")[name] for name in left)


def test_control_does_not_wait_behind_a_flood_of_file_work(post: Post, tmp_path: Path) -> None:
    """200 tasks of which none ends, for the one worker; each of 20 for the other is done at once."""
    ready(post.worker("daq1", "control"), post.worker("daq2", "files"))
    post.publish_all("files", names("f", FLOOD))
    wait_for(lambda: len(post.seen("begun")) >= 2, "file work to begin", 30)
    waited, quick = [], tmp_path / "quick"
    for folder in ("begun", "ended", "go"):
        (quick / folder).mkdir(parents=True)
    for number in range(20):
        began = time.monotonic()
        assert post.publish("control", f"c{number}", quick) == "sent"
        wait_for(lambda number=number: [*(quick / "ended").glob(f"c{number}.daq1")], f"task {number}", 30)
        waited.append(time.monotonic() - began)
    print(f"behind {FLOOD} file tasks a control task is done after {median(waited):.3f} s (worst {max(waited):.3f} s)")
    assert max(waited) < SOON, waited
    assert len(post.seen("begun")) == 2, "the others wait for a thread"
    post.let_go()
    wait_for(lambda: len(post.seen("ended")) == FLOOD, "every task to be done", 60)
