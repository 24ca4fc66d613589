"""The form of one row of the setup; what may be written is what the setup file may hold."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from attpcdaq.topology.models import Access, LinkType, Role
from attpcdaq.topology.setup import Entry, NodeEntry, RouterEntry, ServerEntry, Setup, SourceEntry
from attpcdaq.topology.setup_edit import PARTS
from attpcdaq.topology.setup_entry import EntryError, read_entry
from attpcdaq.topology.setup_values import LONGEST_DEADLINE, OPERATIONS
from attpcdaq.web.setup_words import LABELS

RESTART = "Run on the node over SSH; {name} stands for the name of what is restarted. Empty: cannot be restarted."
ON_NODE = "On the node. May be empty."
HINTS: Mapping[str, str] = {
    "host": "A numeric IPv4 address, or a host name.",
    "access": "An HTTP agent can do less: no restarts, no configuration files, no logs; runs are not proven.",
    "ssh_user": "Empty: the user of the settings.",
    "restart_ecc": RESTART,
    "restart_router": RESTART,
    "describe_name": "Only configurations of it are offered. Empty: all that the server lists.",
    "config_dir": ON_NODE,
    "backup_dir": "Where each run's copies of the configuration files go, on the node. May be empty.",
    "log_file": "Where its output goes, on the node: its end is shown on the page. May be empty.",
    "staging_dir": "Working directory of the data router on the node; no two routers of a computer share one.",
    "link_type": "As the data router was started.",
    "process_name": "dataRouter or DataExporter, as ps shows it.",
    "sender_id": "As Describe lists it: CoBo[0], Mutant[master].",
    "data_router": "Only a MuTAnT without readout may do without.",
}
GROUPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "node": {
        "Node": ("name", "host", "access"),
        "Over SSH": ("ssh_port", "ssh_user", "restart_ecc", "restart_router"),
        "Through an HTTP agent": ("agent_port",),
    },
    "ecc_server": {
        "ECC server": ("name", "host", "port", "node", "describe_name"),
        "Directories and files on the node": ("config_dir", "backup_dir", "log_file"),
        "Seconds after which a step is given up (empty: as usual)": tuple(f"deadline_{one}" for one in OPERATIONS),
    },
    "data_router": {
        "Data router": ("name", "host", "port", "node", "link_type", "process_name"),
        "Directories and files on the node": ("staging_dir", "log_file"),
    },
    "data_source": {"Board": ("sender_id", "role", "ecc_server", "data_router")},
}
ALIKE = (
    "access", "ssh_port", "ssh_user", "agent_port", "restart_ecc", "restart_router", "config_dir", "backup_dir",
    "link_type", "process_name", "staging_dir",
)  # fmt: skip
"""What a new row takes from the last of its kind."""
NUMBERS = {"port": (1, 65535), "ssh_port": (1, 65535), "agent_port": (1, 65535)}
NEEDED = {"name", "host", "node", "staging_dir", "sender_id", "role", "ecc_server", "access", "link_type"}
DEFAULTS: Mapping[str, Entry] = {
    "node": NodeEntry("", ""),
    "ecc_server": ServerEntry("", "", ""),
    "data_router": RouterEntry("", "", "", ""),
    "data_source": SourceEntry("", Role.COBO.value, ""),
}


class RowForm(forms.Form):
    """A node, ECC server, data router or data source; after is_valid() `entry` is what it says."""

    entry: Entry
    conflict = False
    """It was not saved because of what others do or did, not because of what was written."""

    def __init__(self, kind: str, setup: Setup, *args: Any, row: Entry | None = None, **kwargs: Any) -> None:
        self.kind, self.setup = kind, setup
        start = _values(row) if row is not None else _suggested(kind, setup)
        kwargs["initial"] = {**start, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        for names in GROUPS[kind].values():
            for name in names:
                self.fields[name] = self._field(name)

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields as they stand on the page."""
        return ((title, [self[name] for name in names]) for title, names in GROUPS[self.kind].items())

    def clean(self) -> dict[str, Any]:
        """Every key that is wrong gets what is allowed beside its field."""
        known = set(self.errors)
        try:
            self.entry = read_entry(self.kind, self._row())
        except EntryError as error:
            for key, text in error.errors.items():
                if key not in known:
                    self.add_error(key if key in self.fields else None, text)
        return self.cleaned_data

    def _row(self) -> dict[str, Any]:
        filled = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        deadlines = {one: filled.pop(f"deadline_{one}") for one in OPERATIONS if f"deadline_{one}" in filled}
        return filled | ({"deadlines": deadlines} if deadlines else {})

    def _field(self, name: str) -> forms.Field:
        if name.startswith("deadline_"):
            label = name.removeprefix("deadline_").capitalize()
            return forms.FloatField(label=label, min_value=1, max_value=LONGEST_DEADLINE, required=False)
        more: dict[str, Any] = {"label": LABELS[name], "help_text": HINTS.get(name, ""), "required": name in NEEDED}
        if name in NUMBERS:
            low, high = NUMBERS[name]
            return forms.IntegerField(min_value=low, max_value=high, **more)
        if (choices := self._choices(name)) is not None:
            return forms.ChoiceField(choices=choices, **more)
        return forms.CharField(max_length=255, **more)

    def _choices(self, name: str) -> list[tuple[str, str]] | None:
        link_types = [(each, each) for each in LinkType.values]
        listed = {"access": Access.choices, "link_type": link_types, "role": Role.choices}
        if name in listed:
            return [(str(value), str(label)) for value, label in listed[name]]
        if name not in PARTS:
            return None
        names = [each.name for each in getattr(self.setup, PARTS[name])]
        empty = [("", "(none: a MuTAnT without readout)")] if name == "data_router" else [("", "(choose one)")]
        return empty + [(each, each) for each in names]


def _values(row: Entry) -> dict[str, Any]:
    values = asdict(row)
    deadlines = values.pop("deadlines", {})
    return values | {f"deadline_{operation}": seconds for operation, seconds in deadlines.items()}


def _suggested(kind: str, setup: Setup) -> dict[str, Any]:
    """What is usual, and what the last of its kind has."""
    rows = getattr(setup, PARTS[kind])
    like = asdict(rows[-1]) if rows else {}
    return _values(DEFAULTS[kind]) | {key: like[key] for key in ALIKE if key in like}
