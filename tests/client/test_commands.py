"""What the commands say and how they end, against the product on a real socket."""

import csv
import io
import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from django.utils import timezone

from attpcdaq.live.models import ECCState, MonitorLease
from attpcdaq.runcontrol.models import Command, CommandState, Restart
from attpcdaq.testing.builders import build_detector
from attpcdaq_client import Client
from attpcdaq_client.commands.program import program
from tests.client.conftest import Shell
from tests.client.samples import WHILE_WAITING
from tests.e2e.waiting import wait_for
from tests.racing import race_of
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.services.processes import free_port
from tests.web.everywhere import something_at_every_address

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def detector(shell: Shell) -> None:
    """Two CoBos, Ready, seen now."""
    now = timezone.now()
    MonitorLease.objects.create(at=now, until=now)
    for server in build_detector(cobos=2).ecc_servers:
        ECCState.objects.create(ecc_server=server, state=4, seen_at=now)


def test_the_status_in_words_and_as_json(shell: Shell, detector: None) -> None:
    make_run(make_experiment(), 6, title="alphas \x1b[2J")
    said = shell.ok("status")
    first = said.splitlines()[0]
    status = json.loads(shell.ok("status", "--json"))
    assert first.startswith(status["overall"]["title"])
    row = next(line for line in said.splitlines() if line.startswith("ecc-cobo1"))
    assert row.split()[1] == "ready"
    assert "No run is open; the next one is 1 of e20009." in said
    assert 'Last run 6 of e20009 (testing) "alphas �[2J"' in said
    assert {server["name"] for server in status["ecc_servers"]} >= {"ecc-cobo0", "ecc-cobo1"}


def test_who_only_looks_is_refused_with_the_reason(shell: Shell, detector: None) -> None:
    result = shell.run("start", role="observer")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "The user lee may not operate the detector." in result.stderr


def test_every_reason_of_a_refusal_is_a_line(shell: Shell, detector: None) -> None:
    result = shell.run("describe")
    assert result.exit_code == 1
    head, *reasons = result.stderr.splitlines()
    assert head == "Refused:"
    assert reasons
    assert all(reason.startswith("  - ") for reason in reasons)


def test_an_order_is_written_down_and_can_be_followed(shell: Shell, detector: None) -> None:
    ordered = json.loads(shell.ok("breakup", "--server", "ecc-cobo0", "--json"))
    assert Command.objects.get(pk=ordered["id"]).targets == ["ecc-cobo0"]
    said = shell.ok("command", ordered["id"])
    assert "breakup ecc-cobo0" in said
    assert "Breakup" in said.splitlines()[-1]
    assert "waiting" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("state", "code"), [(CommandState.DONE, 0), (CommandState.FAILED, 1), (CommandState.EXPIRED, 1)]
)
def test_waiting_ends_with_what_came_of_it(shell: Shell, detector: None, state: str, code: int) -> None:
    ordered = json.loads(shell.ok("breakup", "--server", "ecc-cobo0", "--json"))
    Command.objects.filter(pk=ordered["id"]).update(state=state, message="ecc-cobo0 is on fire", finished_at=NOON)
    result = shell.run("command", ordered["id"], "--wait")
    assert result.exit_code == code
    assert ("ecc-cobo0 is on fire" in result.stderr) is bool(code)


def test_waiting_has_an_end(shell: Shell, detector: None) -> None:
    result = shell.run("breakup", "--server", "ecc-cobo0", "--wait", "--within", "0.1")
    assert result.exit_code == 1
    assert "breakup queued, 0 of 1 steps" in result.stderr
    assert "The command is not over after 0.1 s; it goes on." in result.stderr


@pytest.mark.parametrize(("state", "code"), [(CommandState.DONE, 0), (CommandState.FAILED, 1)])
def test_a_restart_is_waited_for(shell: Shell, detector: None, state: str, code: int) -> None:
    def carry_out() -> None:
        wait_for(Restart.objects.exists, "the restart to be asked for")
        Restart.objects.update(state=state, message="systemctl said so", finished_at=timezone.now())

    result, _ = race_of(lambda: shell.run("restart", "ecc", "ecc-cobo0", "--wait", role="expert"), carry_out)
    assert isinstance(result, Result)
    assert result.exit_code == code, result.output
    assert f"The restart of ecc-cobo0 is {state}." in result.stdout
    assert ("systemctl said so" in result.stderr) is bool(code)
    assert f"{shell.asked[-1].method} {shell.asked[-1].path}" in WHILE_WAITING


def test_wrong_usage_names_what_is_allowed(shell: Shell, detector: None) -> None:
    for words, said in (
        (["restart", "board", "x"], "is not one of 'ecc', 'router'"),
        (["start", "--class", "holiday"], "run_class: "),
        (["exclude", "ecc-cobo0"], "Missing option '--reason'"),
        (["fly"], "No such command 'fly'"),
        (["runs", "list", "--since", "yesterday"], "does not match the format '%Y-%m-%d'"),
    ):
        result = shell.run(*words)
        assert (result.exit_code, said in result.stderr) == (2, True), result.output


def test_out_of_touch_is_an_exit_status_of_its_own(shell: Shell) -> None:
    shell.token()
    shell.url = f"http://127.0.0.1:{free_port()}"
    result = shell.run("stop")
    assert result.exit_code == 3
    assert result.stderr.startswith("Out of touch with the DAQ. No connection to http://127.0.0.1:")


def test_runs_are_listed_filtered_and_exported(shell: Shell, tmp_path: Path) -> None:
    experiment = make_experiment()
    make_run(experiment, 1, title="alphas", run_class="production")
    make_run(experiment, 2, title="pulser", run_class="pulser")
    lines = shell.ok("runs", "list").splitlines()
    assert [line.split()[0] for line in lines] == ["RUN", "2", "1"]
    assert [run["title"] for run in json.loads(shell.ok("runs", "list", "--class", "production", "--json"))] == [
        "alphas"
    ]
    rows = list(csv.reader(io.StringIO(shell.ok("runs", "export", "--sort", "run"))))
    assert len(rows) == 3
    workbook = tmp_path / "runs.xlsx"
    shell.ok("runs", "export", "--output", str(workbook))
    assert workbook.read_bytes().startswith(b"PK")
    again = shell.run("runs", "export", "--output", str(workbook))
    assert again.exit_code == 1
    assert "cannot be written" in again.stderr


def test_a_run_in_words(shell: Shell) -> None:
    something_at_every_address()
    said = shell.ok("runs", "show", "1")
    assert said.startswith("run        1 of e20009")
    missing = shell.run("runs", "show", "77")
    assert (missing.exit_code, "no run 77" in missing.stderr) == (1, True)


def test_a_new_account_and_its_token_in_a_script(shell: Shell) -> None:
    password = shell.ok("users", "add", "tim", "shifter", role="admin").strip()
    assert len(password.split("-")) == 4
    text = shell.ok("tokens", "make", "for tim", "--user", "tim", role="admin").splitlines()[0]
    shell.tokens["tim"] = text
    assert shell.ok("whoami", role="tim") == "tim, shifter (token for tim)\n"
    shell.ok("users", "deactivate", "tim", role="admin")
    assert shell.run("whoami", role="tim").exit_code == 1


def test_words_of_others_do_not_steer_the_terminal() -> None:
    refusal = httpx.Response(409, json={"detail": "no", "reasons": ["run 6 \x1b[2J is open"]})
    away = httpx.Response(503, json={"detail": "\x1b[2J"})
    for answer in (refusal, away):

        def connect(*_: object, answer: httpx.Response = answer, **__: object) -> Client:
            return Client("http://daq", transport=httpx.MockTransport(lambda _: answer))

        result = CliRunner().invoke(program, ["--url", "http://daq", "start"], obj=connect)
        assert result.exit_code in (1, 3)
        assert "�[2J" in result.stderr


def test_a_key_and_its_parts_are_not_both_given(shell: Shell) -> None:
    result = shell.run(
        "setup", "change", "ecc_server", "ecc-cobo0", "deadlines=5", "deadlines.prepare=6", role="expert"
    )
    assert result.exit_code == 2
    assert "deadlines has a value already" in result.stderr
