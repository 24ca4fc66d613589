"""Adding, changing and removing single rows of the setup, by the rules of the setup file."""

from collections.abc import Sequence

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.asking.setup_changes import load
from attpcdaq.topology import setup_edit, setup_store
from attpcdaq.topology.setup import Change, Entry, Setup, SetupError, changes
from attpcdaq.topology.setup_check import faults
from attpcdaq.topology.setup_edit import PARTS, WORDS, Renaming


def add(entries: Sequence[tuple[str, Entry]], by: Requester) -> tuple[Change, ...]:
    """Add rows (kind and values), all or none. SetupError; else as `load`."""
    before = setup_store.read()
    setup = before
    for kind, entry in entries:
        setup = setup_edit.added(setup, kind, entry)
    return load(checked(setup), by, over=before)


def change(kind: str, name: str, entry: Entry, by: Requester, *, was: Entry | None = None) -> tuple[Change, ...]:
    """Let the row `name` say `entry`, where `was` is given only if it says that now. Errors as `remove`."""
    before = setup_store.read()
    known(before, kind, name)
    over = setup_edit.changed(before, kind, name, was) if was is not None else before
    setup = checked(setup_edit.changed(before, kind, name, entry))
    return load(setup, by, over=over, renaming=renaming(kind, name, entry))


def remove(kind: str, name: str, by: Requester, *, over: Setup | None = None) -> tuple[Change, ...]:
    """Take the row away, and what cannot be without it. BadCommand, SetupError; else as `load`."""
    before = over or setup_store.read()
    known(before, kind, name)
    return load(checked(setup_edit.without(before, kind, name)), by, over=before)


def would_remove(kind: str, name: str) -> tuple[Change, ...]:
    """What `remove` would do now. Its errors, but for those of the moment."""
    before = setup_store.read()
    known(before, kind, name)
    return changes(before, checked(setup_edit.without(before, kind, name)))


def known(setup: Setup, kind: str, name: str) -> Entry:
    """The row of this name. BadCommand says which there are."""
    found = setup_edit.find(setup, kind, name)
    if found is None:
        names = ", ".join(each.name for each in getattr(setup, PARTS[kind])) or "none"
        raise BadCommand("name", f"there is no {WORDS[kind]} {name[:80]!r}; known are {names}.")
    return found


def renaming(kind: str, name: str, entry: Entry) -> Renaming | None:
    return Renaming(kind, name, entry.name) if entry.name != name else None


def checked(setup: Setup) -> Setup:
    """The setup, or SetupError with everything that forbids it."""
    if found := faults(setup):
        raise SetupError(found)
    return setup
