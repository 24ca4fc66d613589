"""Every command of `attpcdaq` with words that make sense, and the calls of the API that it is."""

from pathlib import Path
from typing import Any

import click

from attpcdaq_client.commands.program import program

UUID = "00000000-0000-0000-0000-000000000001"
SHA = "0" * 64
EXAMPLE = str(Path(__file__).resolve().parents[2] / "docs" / "setup-example.toml")
FIND = "GET /observables"
COMMANDS: dict[str, tuple[list[str], set[str]]] = {
    "status": ([], {"GET /status"}),
    "whoami": ([], {"GET /account"}),
    **{
        action: (["--server", "ecc-cobo0"], {"POST /commands"})
        for action in ("describe", "prepare", "configure", "stop", "breakup", "undo", "go-ready", "go-idle")
    },
    "start": (["--title", "alphas", "--class", "beam"], {"POST /commands"}),
    "command": ([UUID], {"GET /commands/{command_id}"}),
    "adopt": ([], {"POST /adopt"}),
    "set-aside": ([], {"POST /set-aside"}),
    "exclude": (["ecc-cobo0", "--reason", "its HV trips"], {"POST /exclusions"}),
    "include": (["ecc-cobo0"], {"DELETE /exclusions/{ecc_server}"}),
    "restart": (["ecc", "ecc-cobo0"], {"POST /restarts"}),
    "control show": ([], {"GET /control"}),
    **{f"control {action}": ([], {"POST /control"}) for action in ("take", "ask", "release", "decline")},
    "control hand-over": (["kim"], {"POST /control"}),
    "control force": (["--reason", "nobody answers"], {"POST /control"}),
    "preferences": (["--min-free-gb", "20"], {"POST /preferences"}),
    "runs list": (["--class", "production"], {"GET /runs"}),
    "runs export": (["--format", "csv"], {"GET /runs/export"}),
    "runs show": (["1"], {"GET /runs/{number}"}),
    "runs check": (["1"], {"POST /runs/{number}/check"}),
    "runs manifest": (["1"], {"GET /runs/{experiment}/{number}/manifest", "GET /status"}),
    "runs configuration": (["1"], {"GET /runs/{experiment}/{number}/configuration", "GET /status"}),
    "runs rates": (["1"], {"GET /runs/{experiment}/{number}/samples", "GET /status"}),
    "runs sheet show": (["1"], {"GET /runs/{number}/sheet"}),
    "runs sheet write": (["1", "--title", "alphas", "--set", "Pressure=350"], {"PATCH /runs/{number}/sheet"}),
    "runs sheet same-as-previous": (["1"], {"POST /runs/{number}/sheet/same-as-previous"}),
    "runs sheet history": (["1"], {"GET /runs/{number}/sheet/history"}),
    "observables list": ([], {"GET /observables"}),
    "observables add": (["Current", "--unit", "nA", "--min", "0"], {"POST /observables"}),
    "observables change": (["Pressure", "--required", "--max", "none"], {FIND, "PATCH /observables/{id}"}),
    "observables order": (["Pressure"], {FIND, "POST /observables/order"}),
    "observables retire": (["Pressure"], {FIND, "POST /observables/{id}/retire"}),
    "observables bring-back": (["Pressure"], {FIND, "POST /observables/{id}/bring-back"}),
    "observables remove": (["Pressure"], {FIND, "DELETE /observables/{id}"}),
    "observables copy": (["e20008"], {"POST /observables/copy"}),
    "measurements": ([], {"GET /measurements"}),
    "experiments list": ([], {"GET /experiments"}),
    "experiments new": (["e20010"], {"POST /experiments"}),
    "experiments rename": (["e20009", "e20011"], {"PATCH /experiments/{name}"}),
    "experiments activate": (["e20009"], {"POST /experiments/{name}/activate"}),
    "configs diff": (["now", "e20009/1"], {"GET /configurations/diff"}),
    "configs file": ([SHA], {"GET /configurations/{sha256}"}),
    "configs choices": ([], {"GET /configurations/choices"}),
    "configs choose": (["a", "b"], {"POST /configurations/choose"}),
    "configs fetch": (["ecc-cobo0"], {"POST /configurations/fetch"}),
    "setup show": ([], {"GET /setup"}),
    "setup load": ([EXAMPLE, "--dry-run"], {"PUT /setup"}),
    "setup preview": ([EXAMPLE], {"PUT /setup"}),
    "setup easy": (["--cobos", "3", "--set", "ecc.port=8083", "--dry-run"], {"POST /setup/easy"}),
    "setup add": (["node", "node-spare", "host=127.0.0.1"], {"POST /setup/{kind}/{name}"}),
    "setup change": (["node", "node-cobo0", "ssh_port=2222"], {"PATCH /setup/{kind}/{name}"}),
    "setup remove": (["node", "node-cobo0", "--dry-run"], {"DELETE /setup/{kind}/{name}"}),
    "setup test": (["node", "nothing"], {"POST /connection-tests"}),
    "hosts keys": ([], {"GET /host-keys"}),
    "hosts read": (["node-cobo0"], {"POST /host-keys/read"}),
    "hosts pin": (["node-cobo0", "SHA256:a"], {"POST /host-keys/pin"}),
    "hosts unpin": (["node-cobo0", "SHA256:a"], {"POST /host-keys/unpin"}),
    "events": (["--severity", "warning"], {"GET /events"}),
    "acknowledge": (["--all"], {"GET /events", "POST /events/acknowledge"}),
    "logs": (["ecc", "ecc-cobo0"], {"GET /logs/{kind}/{name}"}),
    "shift begin": (["Ada and Kim"], {"POST /shifts"}),
    "shift end": ([], {"POST /shifts/current/end"}),
    "shift hand-over": (["watch the gas"], {"POST /shifts/current/hand-over"}),
    "shift check": (["--tick", "beam"], {"POST /shifts/current/checks"}),
    "shift show": (["1"], {"GET /shifts/{shift_id}"}),
    "shift list": ([], {"GET /shifts"}),
    "note": (["the beam is back", "--run", "1"], {"POST /notes"}),
    "notes": ([], {"GET /notes"}),
    "gap": (["beam", "--after", "1"], {"PUT /gaps"}),
    "beam-time": ([], {"GET /beam-time"}),
    "elog": ([], {"GET /elog"}),
    "audit": (["--who", "kim"], {"GET /audit"}),
    "users list": ([], {"GET /users"}),
    "users add": (["tim", "shifter"], {"POST /users"}),
    "users role": (["kim", "expert"], {"PATCH /users/{name}"}),
    "users deactivate": (["kim"], {"PATCH /users/{name}"}),
    "users activate": (["kim"], {"PATCH /users/{name}"}),
    "users password": (["kim"], {"POST /users/{name}/password"}),
    "tokens list": ([], {"GET /tokens"}),
    "tokens make": (["laptop"], {"POST /tokens"}),
    "tokens revoke": (["laptop"], {"DELETE /tokens/{name}"}),
}
# The same commands with other words.
OTHER_WORDS = [("shift show", [], {"GET /shifts/current"}), ("shift check", [], {"GET /shifts/current/checks"})]
# It asks for a token on a terminal; test_login has it.
ELSEWHERE = {"login": {"GET /account"}}
# Waiting for what was ordered asks for it; test_commands has it.
WHILE_WAITING = {"GET /restarts/{restart_id}", "GET /connection-tests/{test_id}"}


def leaves(group: click.Group = program, before: str = "") -> dict[str, Any]:
    """Words -> command, of every one that does something."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        found |= leaves(command, words) if isinstance(command, click.Group) else {words: command}
    return found
