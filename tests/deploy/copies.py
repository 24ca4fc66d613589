"""Copies of the project as a clone would have them: what git knows, and nothing that a build left behind."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.deploy.programs import Failed

ROOT = Path(__file__).resolve().parents[2]
PREVIOUS = ROOT / "deploy/previous-release"
VERSION = re.compile(r'^version = "([^"]+)"', re.MULTILINE)


def mark(copy: Path) -> Path:
    """Give it a version that nobody runs: images of a system on this machine are not touched."""
    path = copy / "pyproject.toml"
    path.write_text(VERSION.sub(r'version = "\1.dev0"', path.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    return copy


def working_tree(target: Path) -> Path:
    """What a commit of everything would hold now."""
    names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
    for name in filter(None, names):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return mark(target)


def commit(name: str, target: Path) -> Path:
    """What a commit holds."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "--extract", "--directory", str(target)], input=_git("archive", name), check=True)
    return mark(target)


def resolve(name: str) -> str:
    """The commit that a name stands for now."""
    return _git("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()


def previous_release() -> str:
    """The commit from which upgrades are tested; Failed where it is not in this clone."""
    name = re.findall(r"[0-9a-f]{40}", PREVIOUS.read_text(encoding="utf-8"))
    if len(name) != 1:
        raise Failed(f"{PREVIOUS} must name one commit")
    _git("cat-file", "-e", f"{name[0]}^{{commit}}")
    return name[0]


def replace_by(old: Path, new: Path) -> None:
    """What `git checkout` of another version does: tracked files become others; settings, keys and dumps stay."""
    kept = {".env", "secrets", "backups", ".deployed.yaml"}
    for path in old.iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(
        new, old, dirs_exist_ok=True, ignore=lambda folder, names: kept & set(names) if folder == str(new) else set()
    )


def version_of(copy: Path) -> str:
    found = VERSION.search((copy / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise Failed(f"{copy}/pyproject.toml names no version")
    return found.group(1)


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"git {' '.join(words)}: {done.stderr.decode().strip()}; the whole history is needed")
    return done.stdout
