"""Rules of CONTRIBUTING.md that no other tool checks."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 300
FUNCTION_LINES = 40
MEDIAN_LINES = 10
VIEW_LINES = 20
TASK_LINES = 15
WEB = ROOT / "src/attpcdaq/web"
TASKS = ROOT / "src/attpcdaq/runcontrol/tasks.py"
# Addresses of package indexes, and paths of one machine.
PRIVATE = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.org|yarnpkg\.com|deb\.debian\.org|archive\.ubuntu\.com"
    r"|--(?:extra-)?index-url|/root/|/home/\w+/|(?<![\w.$}])/work/"
)


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match git's patterns and exist."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """`file:line name` of each function, its length without its docstring, and what is allowed."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            has_docstring = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
            name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            yield name, (node.end_lineno or 0) - node.lineno + 1 - docstring, allowed(path, node)


def allowed(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines; a view is whatever takes a request first."""
    if path == TASKS:
        return TASK_LINES
    is_view = WEB in path.parents and [argument.arg for argument in function.args.args][:1] == ["request"]
    return VIEW_LINES if is_view else FUNCTION_LINES


def test_files_are_short() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in tracked("*.py", "src/*.js")}
    assert {path: length for path, length in lengths.items() if length > FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = {
        name: length
        for path in tracked("*.py")
        if "migrations" not in path.parts
        for name, length, most in functions(path)
        if length > most
    }
    assert long == {}


def test_views_and_tasks_have_limits_of_their_own() -> None:
    limits = {name.split()[1]: most for path in (WEB / "pages.py", TASKS) for name, _, most in functions(path)}
    assert (limits["status"], limits["run_command"]) == (VIEW_LINES, TASK_LINES)


def test_half_of_the_functions_are_under_ten_lines() -> None:
    lengths = [length for path in tracked("src/*.py") for _, length, _ in functions(path)]
    assert statistics.median(lengths) < MEDIAN_LINES


def test_nothing_names_a_package_index_or_a_path_of_one_machine() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{number}": line.strip()
        for path in tracked()
        if path != Path(__file__) and not is_data(path)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PRIVATE.search(line)
    }
    assert found == {}


def is_data(path: Path) -> bool:
    """Bytes that a real instrument wrote, or anything that is not text."""
    return "data" in path.relative_to(ROOT).parts or b"\0" in path.read_bytes()[:4096]


def test_lock_files_pin_everything_by_hash() -> None:
    locks = tracked("requirements/*.txt")
    assert {path.name for path in locks} >= {"run.txt", "dev.txt"}
    for path in locks:
        pins = re.findall(r"^[a-z0-9][\w.-]*==\S+.*$", path.read_text(), re.MULTILINE)
        assert pins
        assert [pin for pin in pins if not pin.endswith("\\")] == []


def test_every_development_pin_is_the_one_that_runs() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    assert pins("run.txt") <= pins("dev.txt")
