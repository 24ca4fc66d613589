"""What the API takes and gives of the setup: the tables and keys of the setup file."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from attpcdaq.topology.setup import Change, Setup
from attpcdaq.topology.setup_edit import PARTS
from attpcdaq.topology.setup_file import row_of
from attpcdaq.web.api_schemas import BODIES, STRICT, Moment

Kind = Literal["node", "ecc_server", "data_router", "data_source"]


class ConfigIn(Schema):
    """A configuration by its three names."""

    model_config = STRICT

    describe: str
    prepare: str
    configure: str


class RowIn(Schema):
    """A row of the setup file; which keys a kind has is said in the manual (Setup file)."""

    model_config = STRICT

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
    config: ConfigIn | None = None
    deadlines: dict[str, float] | None = None
    link_type: str | None = None
    staging_dir: str | None = None
    process_name: str | None = None
    sender_id: str | None = None
    role: str | None = None
    ecc_server: str | None = None
    data_router: str | None = None

    def keys(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_none=True, exclude={"kind", "also", "dry_run"})


class AlsoIn(RowIn):
    """Another row that is added with it."""

    kind: Kind


class NewRowIn(RowIn):
    """A new row, and what it needs beside it: a CoBo comes with its ECC server and its data router."""

    also: list[AlsoIn] = Field([], max_length=100)


class SetupIn(Schema):
    """A whole setup; what is not in it goes."""

    model_config = STRICT

    node: list[RowIn] = []
    ecc_server: list[RowIn] = []
    data_router: list[RowIn] = []
    data_source: list[RowIn] = []

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """The same as the setup file says it."""
        return {kind: [row.keys() for row in getattr(self, kind)] for kind in PARTS}


class SeriesIn(Schema):
    """Addresses of board 0, 1, 2 ...: host and port of the first, and how they grow."""

    model_config = STRICT

    host: str = Field("127.0.0.1", max_length=253, description="May hold {n}, the board's number.")
    port: int = Field(ge=1, le=65535)
    host_step: int = Field(0, ge=-65535, le=65535)
    port_step: int = Field(0, ge=-65535, le=65535)


class EasySetupIn(Schema):
    """The numbers of Easy setup; what is left out is as in the form."""

    model_config = STRICT

    cobos: int | None = Field(None, ge=1, le=32)
    ecc_servers: Literal["one-each", "one-for-all"] | None = None
    mutant: Literal["none", "no-readout", "readout"] | None = None
    ecc: SeriesIn | None = None
    router: SeriesIn | None = None
    ssh: SeriesIn | None = None
    agent: SeriesIn | None = None
    ssh_user: str | None = None
    access: str | None = None
    restart_ecc: str | None = None
    restart_router: str | None = None
    link_type: str | None = None
    process_name: str | None = None
    staging_dir: str | None = None
    log_file: str | None = None
    ecc_log_file: str | None = None
    config_dir: str | None = None
    backup_dir: str | None = None
    describe_cobo: str | None = None
    describe_mutant: str | None = None
    describe_all: str | None = None
    prepare: str | None = None
    configure: str | None = None


class TestIn(Schema):
    """What is to be tried: a row of the setup by its name alone, or the keys of one that is not saved."""

    model_config = STRICT

    kind: Literal["ecc", "router", "node"]
    name: str = Field(min_length=1, max_length=63)
    row: RowIn | None = Field(None, description="Instead of what the setup says.")


class ChooseIn(Schema):
    """One ECC server's configuration by its names, or Prepare and Configure names for all that offer them."""

    model_config = STRICT

    ecc_server: str | None = Field(None, max_length=63, description="Left out: every one that offers the names.")
    describe: str | None = Field(None, max_length=200, description="Needed for one; left out for all.")
    prepare: str = Field(max_length=200)
    configure: str = Field(max_length=200)


class FetchIn(Schema):
    """Whose lists of configurations are to be asked for."""

    model_config = STRICT

    ecc_servers: list[str] | None = Field(None, max_length=1000, description="Left out: all.")


BODIES.update(
    setup=SetupIn, numbers=EasySetupIn, row=NewRowIn, changed=RowIn, trial=TestIn, choice=ChooseIn, whose_lists=FetchIn
)


class KeyChangeOut(Schema):
    key: str
    old: str | None = Field(description="Null in a new row.")
    new: str


class ChangeOut(Schema):
    verb: Literal["add", "remove", "rename", "change"]
    kind: str
    name: str
    differences: list[KeyChangeOut]


class ChangesOut(Schema):
    """What was changed, or with dry_run what would be."""

    loaded: bool
    changes: list[ChangeOut]


class SetupOut(Schema):
    """The setup as the setup file says it: keys that say what is usual are left out. PUT takes it as it is."""

    node: list[RowIn]
    ecc_server: list[RowIn]
    data_router: list[RowIn]
    data_source: list[RowIn]


class FindingOut(Schema):
    level: Literal["ok", "warn", "bad"]
    text: str


class TestOut(Schema):
    """A connection test; state queued, running, done (it works), failed or expired (nobody took it)."""

    id: str
    kind: str
    subject: str
    state: str
    findings: list[FindingOut]
    requested_by: str
    requested_at: Moment
    until: Moment = Field(description="When it has ended at the latest.")
    elapsed: float


class ChoiceOut(Schema):
    describe: str
    prepare: str
    configure: str
    listed: bool = Field(description="False: the ECC server does not list it any more.")
    chosen: bool
    others: list[str] = Field(description="ECC servers with the same names for Prepare and Configure.")
    runs: int = Field(description="In how many of the latest 200 runs it was used here.")
    last_experiment: str | None
    last_run: int | None


class ServerChoicesOut(Schema):
    """What fits one ECC server."""

    ecc_server: str
    describe_name: str
    fetched_at: Moment | None
    listed: int
    choices: list[ChoiceOut]


class ChosenOut(Schema):
    """How many ECC servers changed, and where the names do not fit."""

    changed: int
    without: list[str]


def changes_out(changes: tuple[Change, ...], *, loaded: bool) -> ChangesOut:
    found = [
        ChangeOut(
            verb=one.verb,
            kind=one.kind,
            name=one.name,
            differences=[KeyChangeOut(key=each.key, old=each.old, new=each.new) for each in one.differences],
        )
        for one in changes
    ]
    return ChangesOut(loaded=loaded, changes=found)


def setup_out(setup: Setup) -> SetupOut:
    tables = {kind: [row_of(entry) for entry in getattr(setup, part)] for kind, part in PARTS.items()}
    return SetupOut.model_validate(tables)
