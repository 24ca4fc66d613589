"""The one table of settings (docs/operations.md) says what is true: every setting, every default, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from attpcdaq.config.environment import PREFIX, Environment

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
INTERPOLATED = re.compile(r"\$\{([A-Z][A-Z_]*)(?::(-|\?)([^}]*))?\}")
NAMED = re.compile(rf"\b{PREFIX}[A-Z][A-Z_]*[A-Z]\b")
# Filled in by whoever puts nginx or the tests in place; the copy of the project that deploy/stack looks after.
OF_OTHERS = {f"{PREFIX}{name}" for name in ("WEB", "EVENTS", "LISTEN", "STATIC", "HELP", "NGINX", "ROOT")}
# Of the command line, which may run anywhere: docs/command-line.md tells of them.
OF_THE_CLIENT = {f"{PREFIX}{name}" for name in ("URL", "TOKEN", "CA")}

# In containers: told by compose.yaml or the Dockerfile, or only for who develops the program.
NOT_IN_ENV = {
    *("DATABASE_URL", "BROKER_URL", "BROKER_CA", "TRUSTED_PROXIES", "STATIC_ROOT", "SSH_KEY", "SSH_KNOWN_HOSTS"),
    *("TLS_CERT", "ALIVE_FILE", "SERVICE", "DEBUG"),
}


def table() -> dict[str, tuple[str, str]]:
    """Default and meaning by name."""
    section = (ROOT / "docs/operations.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert len(rows) == len({name for name, _, _ in rows}), "a setting is there twice"
    return {name: (default, meaning) for name, default, meaning in rows}


def written(default: Any) -> str:
    """A default as the table has it."""
    if default is PydanticUndefined:
        return "needed"
    if default in (None, "", []):
        return "none"
    text = ",".join(default) if isinstance(default, list) else str(default).lower() if default is False else default
    return f"`{text}`"


def compose_settings() -> dict[str, str]:
    """What compose files take from .env and no process reads by that name."""
    found: dict[str, str] = {}
    for path in ROOT.glob("compose*.yaml"):
        for name, kind, text in INTERPOLATED.findall(path.read_text()):
            if name.removeprefix(PREFIX).lower() not in Environment.model_fields:
                found[name] = f"`{text}`" if kind == "-" else found.get(name, "needed")
    return found


@pytest.mark.parametrize("name", Environment.model_fields)
def test_every_setting_of_a_process_with_its_default(name: str) -> None:
    default, meaning = table()[f"{PREFIX}{name.upper()}"]
    assert default == written(Environment.model_fields[name].default)
    assert len(meaning) > 10


def test_every_setting_of_the_containers_with_its_default() -> None:
    wanted = compose_settings()
    rows = table()
    assert {"ATTPCDAQ_HTTPS_PORT", "POSTGRES_PASSWORD"} <= set(wanted)
    assert {name: rows.get(name, ("missing", ""))[0] for name in wanted} == wanted


def test_every_other_setting_of_a_process_reaches_it_from_env() -> None:
    passed_on = set(re.findall(r"^ +([A-Z_]+): \$\{\1:", (ROOT / "compose.yaml").read_text(), re.MULTILINE))
    wanted = {f"{PREFIX}{name.upper()}" for name in Environment.model_fields if name.upper() not in NOT_IN_ENV}
    assert wanted - passed_on == set()


def test_no_other_name_is_in_the_table() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Environment.model_fields} | set(compose_settings())
    assert set(table()) - known == set()


def test_no_program_reads_a_setting_that_is_not_there() -> None:
    files = [
        path
        for folder in ("src", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".sh", ".conf", ".template", ".yaml", ".service")
    ]
    named = {name for path in files for name in NAMED.findall(path.read_text())}
    assert f"{PREFIX}ALLOWED_HOSTS" in named
    assert named - set(table()) - OF_OTHERS == OF_THE_CLIENT
    assert set(NAMED.findall((ROOT / "docs/command-line.md").read_text())) >= OF_THE_CLIENT
