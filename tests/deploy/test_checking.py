"""That the checks of the containers can fail."""

from pathlib import Path

import pytest

from tests.deploy import copies, images
from tests.deploy.detector import missing, node_of
from tests.deploy.programs import Failed, must
from tests.deploy.runner import Checks, GiveUpError, expect, wait_for
from tests.deploy.stack import megabytes


def test_the_last_line_is_the_count_and_a_failure_is_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks()
    checks.evidence = lambda: "what the containers said"
    with checks("all is well") as note:
        note("12 MB")
    with checks("it is not"):
        expect(False, "seen: nothing")
    assert checks.close() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("all is well: 12 MB")
    assert lines[1].startswith("FAIL")
    assert "seen: nothing" in lines[2]
    assert lines[3:] == ["what the containers said", "1 passed, 1 failed"]


def test_no_check_at_all_is_a_failure() -> None:
    assert Checks().close() == 1


def test_a_check_on_which_the_rest_stands_ends_it() -> None:
    with pytest.raises(GiveUpError), Checks()("`up`", needed=True):
        raise Failed("no")


def test_waiting_ends_with_what_was_seen_last() -> None:
    with pytest.raises(Failed, match="waited 0 s for a miracle; last seen: 'nothing'"):
        wait_for(lambda: _fails("nothing"), "a miracle", 0)


def _fails(text: str) -> None:
    raise Failed(text)


def test_a_program_that_ends_otherwise_than_it_should_is_a_failure() -> None:
    assert must("sh", "-c", "echo seen; exit 3", status=3) == "seen\n"
    with pytest.raises(Failed, match=r"ended with 3, not 0:\n  seen"):
        must("sh", "-c", "echo seen; exit 3")
    with pytest.raises(Failed, match=r"did not end within 0\.1 s"):
        must("sleep", "5", seconds=0.1)


@pytest.mark.parametrize(
    ("in_files", "sent", "lost", "is_missing"),
    [(10, 10, 0, False), (9, 10, 0, True), (11, 10, 0, True), (10, 10, 1, True), (0, 0, 0, True)],
)
def test_a_frame_that_is_not_in_a_file_is_missed(in_files: int, sent: int, lost: int, is_missing: bool) -> None:
    kept = {"node-cobo3": {"frames": in_files}}
    assert bool(missing({"CoBo[3]": (5, 2)}, {"CoBo[3]": (5 + sent, 2 + lost)}, kept)) is is_missing


def test_boards_have_a_node_each() -> None:
    assert [node_of("CoBo[3]"), node_of("Mutant[master]")] == ["node-cobo3", "node-mutant"]


@pytest.mark.parametrize(("text", "size"), [("92.5MiB", 96.99328), ("1GiB", 1073.741824), ("640kB", 0.64), ("0B", 0)])
def test_sizes_are_read_as_the_engine_writes_them(text: str, size: float) -> None:
    assert megabytes(text) == pytest.approx(size)


def test_images_of_others_are_found_in_compose_file_and_dockerfile() -> None:
    assert images.named(copies.ROOT) == ["python:3.13-slim-trixie", "nginx:1.26", "postgres:17", "rabbitmq:4.0"]
    assert {(images.STANDINS / name.partition(":")[0]).is_dir() for name in images.named(copies.ROOT)} == {True}


def test_a_copy_has_a_version_that_nobody_runs(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    assert copies.version_of(copies.mark(tmp_path)) == "1.2.3.dev0"


def test_another_version_leaves_settings_keys_and_dumps_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, content in ((old, "old"), (new, "new")):
        (folder / "secrets").mkdir(parents=True)
        (folder / "src/secrets").mkdir(parents=True)
        for name in (".env", "secrets/key", "compose.yaml", "src/secrets/page"):
            (folder / name).write_text(content)
    (old / "gone").write_text("old")
    copies.replace_by(old, new)
    found = {str(path.relative_to(old)): path.read_text() for path in old.rglob("*") if path.is_file()}
    assert found == {".env": "old", "secrets/key": "old", "compose.yaml": "new", "src/secrets/page": "new"}
