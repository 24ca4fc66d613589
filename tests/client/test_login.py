"""Where the command finds the DAQ: options, environment, the file of `attpcdaq login`."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from attpcdaq_client.commands.program import program
from tests.client.conftest import Shell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "attpcdaq.toml"


def call(*words: str, typed: str = "") -> tuple[int, str]:
    """Without anything in the environment."""
    result = CliRunner().invoke(program, words, input=typed)
    return result.exit_code, result.output


def test_login_asks_tries_and_keeps(shell: Shell, file: Path) -> None:
    code, said = call("login", typed=f"{shell.url}/\n{shell.token()}\n")
    assert (code, f"{shell.url} knows you as kim, shifter." in said) == (0, True), said
    assert shell.token() not in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert call("whoami") == (0, "kim, shifter (token of a shifter)\n")
    code, said = call("--url", shell.url, "--token", shell.token("admin"), "login", "--json")
    assert json.loads(said)["name"] == "ada"
    assert call("whoami")[1].startswith("ada, admin")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_not_accepted_is_not_kept(shell: Shell, file: Path) -> None:
    code, said = call("login", typed=f"{shell.url}\nnonsense\n")
    assert code == 1
    assert "Send a valid token" in said
    assert not file.exists()


def test_without_an_address_nothing_is_asked(shell: Shell) -> None:
    code, said = call("status")
    assert code == 2
    assert "give --url, set ATTPCDAQ_URL, or log in once" in said


def test_a_token_goes_to_its_own_address_only(shell: Shell, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f'url = "http://elsewhere"\ntoken = "{shell.token()}"\n')
    file.chmod(0o600)
    code, said = call("--url", shell.url, "whoami")
    assert code == 1
    assert "Send a valid token" in said


def test_a_file_that_others_may_read_is_told(shell: Shell, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f'url = "{shell.url}"\ntoken = "{shell.token()}"\n')
    file.chmod(0o644)
    code, said = call("whoami")
    assert code == 0
    assert f"chmod 600 {file}" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [("url = ", "is no TOML"), ("port = 1", "port: allowed are url, token, ca"), ("url = 7", "url: allowed are")],
)
def test_a_file_that_is_wrong_is_told(shell: Shell, file: Path, content: str, words: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    code, said = call("whoami")
    assert code == 2
    assert words in said


def test_a_certificate_that_is_not_there_is_told(shell: Shell) -> None:
    code, said = call("--url", "https://127.0.0.1:1", "--ca", "/nowhere.pem", "status")
    assert code == 2
    assert "/nowhere.pem: " in said
