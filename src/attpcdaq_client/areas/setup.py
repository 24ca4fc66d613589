"""The setup: whole, row by row, from a few numbers; connections tried."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from attpcdaq_client.areas.area import Area
from attpcdaq_client.calls import Call, Model

Kind = Literal["node", "ecc_server", "data_router", "data_source"]
Document = Mapping[str, Any]


class ConfigNames(Model):
    """A configuration by its three names."""

    describe: str
    prepare: str
    configure: str


class Row(Model):
    """A row of the setup file; which keys a kind has is said in the manual."""

    name: str | None = None
    host: str | None = None
    access: str | None = None
    agent_port: int | None = None
    ssh_port: int | None = None
    ssh_user: str | None = None
    restart_ecc: str | None = None
    restart_router: str | None = None
    node: str | None = None
    port: int | None = None
    describe_name: str | None = None
    config_dir: str | None = None
    backup_dir: str | None = None
    log_file: str | None = None
    config: ConfigNames | None = None
    deadlines: dict[str, float] | None = None
    link_type: str | None = None
    staging_dir: str | None = None
    process_name: str | None = None
    sender_id: str | None = None
    role: str | None = None
    ecc_server: str | None = None
    data_router: str | None = None


class Setup(Model):
    """The setup as the setup file says it: keys that say what is usual are left out."""

    node: list[Row] = []
    ecc_server: list[Row] = []
    data_router: list[Row] = []
    data_source: list[Row] = []

    def document(self) -> dict[str, Any]:
        """The content of the setup file, as `load` takes it."""
        return self.model_dump(exclude_none=True)


class KeyChange(Model):
    """One key of a row; `old` is null in a new row."""

    key: str
    old: str | None = None
    new: str = ""


class Change(Model):
    """What becomes of a row: `verb` add, remove, rename or change."""

    verb: str
    kind: str
    name: str
    differences: list[KeyChange] = []


class Changes(Model):
    """What was changed (`loaded`), or would be."""

    loaded: bool
    changes: list[Change] = []


class Finding(Model):
    """What a test found: `level` ok, warn or bad."""

    level: str
    text: str


class Trial(Model):
    """A connection test; it has ended at `until` at the latest."""

    id: str
    state: str
    kind: str = ""
    subject: str = ""
    findings: list[Finding] = []
    requested_by: str = ""
    requested_at: datetime | None = None
    until: datetime | None = None
    elapsed: float = 0.0

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "expired")


ROW = tuple(Row.model_fields)
NUMBERS = (
    *("cobos", "ecc_servers", "mutant", "ecc", "router", "ssh", "agent", "ssh_user", "access"),
    *("restart_ecc", "restart_router", "link_type", "process_name", "staging_dir", "log_file", "ecc_log_file"),
    *("config_dir", "backup_dir", "describe_cobo", "describe_mutant", "describe_all", "prepare", "configure"),
)
SETUP = Call("GET", "/setup", Setup)
LOAD = Call("PUT", "/setup", Changes, query=("dry_run",), body=tuple(Setup.model_fields))
EASY = Call("POST", "/setup/easy", Changes, query=("dry_run",), body=NUMBERS)
ADD_ROW = Call("POST", "/setup/{kind}/{name}", Changes, body=(*ROW, "also"))
CHANGE_ROW = Call("PATCH", "/setup/{kind}/{name}", Changes, body=ROW)
REMOVE_ROW = Call("DELETE", "/setup/{kind}/{name}", Changes, query=("dry_run",))
TRY = Call("POST", "/connection-tests", Trial, body=("kind", "name", "row"))
TRIED = Call("GET", "/connection-tests/{test_id}", Trial)


class SetupArea(Area):
    """What hardware there is believed to be; changes are for experts."""

    def now(self) -> Setup:
        """All of it."""
        return self._send(SETUP)

    def load(self, document: Document, *, dry_run: bool = False) -> Changes:
        """A whole setup, as `Setup.document` gives it; what is not in it goes."""
        return self._send(LOAD, query={"dry_run": dry_run}, body=document)

    def easy(self, numbers: Document, *, dry_run: bool = False) -> Changes:
        """A regular detector from a few numbers (NUMBERS)."""
        return self._send(EASY, query={"dry_run": dry_run}, body=numbers)

    def add(self, kind: Kind, name: str, keys: Document) -> Changes:
        """A row; `also` in `keys` holds rows that it needs beside it, each with its kind."""
        return self._send(ADD_ROW, kind=kind, name=name, body=keys)

    def change(self, kind: Kind, name: str, keys: Document) -> Changes:
        """What is left out stays; another `name` renames it."""
        return self._send(CHANGE_ROW, kind=kind, name=name, body=keys)

    def remove(self, kind: Kind, name: str, *, dry_run: bool = False) -> Changes:
        """With what cannot be without it."""
        return self._send(REMOVE_ROW, kind=kind, name=name, query={"dry_run": dry_run})

    def test(self, kind: Literal["ecc", "router", "node"], name: str, row: Document | None = None) -> Trial:
        """Have a connection tried: that of the setup, or that of `row`."""
        return self._send(TRY, body={"kind": kind, "name": name, "row": row})

    def tested(self, test_id: str) -> Trial:
        """What came of it."""
        return self._send(TRIED, test_id=test_id)
