"""Every call of the API has its command, and every command asks what the table says."""

import pytest

from tests.client.conftest import Shell
from tests.client.documents import operations
from tests.client.samples import COMMANDS, ELSEWHERE, OTHER_WORDS, WHILE_WAITING, leaves
from tests.runlog.rows import make_experiment
from tests.web.everywhere import something_at_every_address

SAMPLES = [*((words, more, calls) for words, (more, calls) in COMMANDS.items()), *OTHER_WORDS]


def test_every_command_is_in_the_table() -> None:
    assert set(leaves()) == COMMANDS.keys() | ELSEWHERE.keys()


def test_every_call_of_the_api_has_a_command() -> None:
    named = [calls for _, _, calls in SAMPLES]
    asked = set().union(*named, *ELSEWHERE.values(), WHILE_WAITING)
    assert {f"{method} {path}" for method, path in operations()} == asked


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("words", "more", "calls"), SAMPLES)
def test_a_command_asks_what_the_table_says(words: str, more: list[str], calls: set[str], shell: Shell) -> None:
    something_at_every_address()
    make_experiment("e20008", is_active=False)
    result = shell.run(*words.split(), *more, role="admin")
    assert result.exit_code in (0, 1, 2), result.output
    assert {f"{call.method} {call.path}" for call in shell.asked} == calls
    assert result.exit_code == 0 or result.stderr


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() | ELSEWHERE.keys()))
def test_a_command_says_what_it_does_and_gives_json(words: str) -> None:
    command = leaves()[words]
    assert command.help, words
    assert any("--json" in option.opts for option in command.params), words
