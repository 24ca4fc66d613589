"""Putting the files of a staging directory where they belong: written down, renamed, noted; never over another."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async

from attpcdaq.gateways.ports import GrawFile
from attpcdaq.runcontrol.closing.staging import Staging, listed, still_the_same
from attpcdaq.runcontrol.closing.whose import judged
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.planning.whose_facts import Owner, Unknown
from attpcdaq.runlog import run_files
from attpcdaq.runlog.models import Quarantined, Run, RunFile
from get_protocol.graw_names import late_name

MOVE_TIMEOUT = 60.0
# No experiment's name begins with an underscore, so this is never a run's directory.
QUARANTINE = "_quarantine"


@dataclass
class Filed:
    """What was put where: files by run, and those that nobody can place."""

    runs: dict[Run, list[RunFile]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.runs or self.quarantined)


async def settle(place: Staging, outside: Outside) -> Filed:
    """What somebody was moving when he was interrupted: noted where it was moved, forgotten where not. GatewayError."""
    rows = await sync_to_async(run_files.planned)(place.node.name, place.directory)
    directories = {row.path.rpartition("/")[0] for row in rows}
    listings = [(directory, await listed(place, directory, outside)) for directory in sorted(directories)]
    found = {f"{directory}/{file.name}": file.size for directory, files in listings for file in files}
    return await sync_to_async(_settled)(rows, found)


def _settled(rows: Sequence[RunFile | Quarantined], found: Mapping[str, int]) -> Filed:
    filed = Filed()
    for row in run_files.settle(rows, found):
        if isinstance(row, RunFile):
            filed.runs.setdefault(row.run, []).append(row)
        else:
            filed.quarantined.append(row)
    return filed


async def file_away(
    place: Staging, files: Sequence[GrawFile], looked: float, is_ours: Callable[[], bool], outside: Outside
) -> Filed | None:
    """Judge the files that were seen at `looked` and move each where it belongs; None when they are not (any more) so.

    GatewayError: what was moved until then is found out by `settle`.
    """
    verdicts, runs = await judged(place, files, outside)
    by_run: dict[int, list[GrawFile]] = {}
    unknown: list[GrawFile] = []
    for file in files:
        verdict = verdicts[file.name]
        if isinstance(verdict, Owner):
            by_run.setdefault(verdict.run, []).append(file)
        else:
            unknown.append(file)
    taken = {run: await _taken(place, runs[run], outside) for run in by_run}
    if not await still_the_same(place, files, looked, outside, is_ours):
        return None
    filed = Filed()
    for run_id, owned in by_run.items():
        proofs = {file.name: verdict.proof for file in owned if isinstance(verdict := verdicts[file.name], Owner)}
        await _to_run(place, runs[run_id], owned, proofs, taken[run_id], filed, outside)
    if unknown:
        why = {file.name: verdict.why for file in unknown if isinstance(verdict := verdicts[file.name], Unknown)}
        await _quarantine(place, unknown, why, filed, outside)
    return filed


def destination_of(place: Staging, run: Run) -> str:
    """The directory of a run's files below a staging directory."""
    return f"{place.directory}/{run.directory}"


async def _taken(place: Staging, run: Run, outside: Outside) -> set[str]:
    """Names in a run's directory; what lies there and nobody has noted was moved by somebody who died before he did."""
    there = await listed(place, destination_of(place, run), outside)
    await sync_to_async(note_there)(place, run, there)
    return {file.name for file in there}


def note_there(place: Staging, run: Run, there: Sequence[GrawFile]) -> None:
    """Note the files that lie in a run's directory and that no row speaks of."""
    directory = destination_of(place, run)
    known = set(run.files.filter(node=place.node.name).values_list("path", flat=True)) if there else set()
    rows = [
        _row(place, run, file, f"{directory}/{file.name}", "it was found in the run's directory.")
        for file in there
        if f"{directory}/{file.name}" not in known
    ]
    run_files.plan(rows)
    run_files.moved(rows, [row.size for row in rows])


def _row(place: Staging, run: Run, file: GrawFile, path: str, proof: str) -> RunFile:
    return RunFile(
        run=run,
        kind=RunFile.Kind.DATA,
        node=place.node.name,
        owner=place.owner,
        path=path,
        size=file.size,
        name=file.name,
        staging=place.directory,
        planned=True,
        proof=proof,
        modified=file.mtime,
    )


async def _to_run(
    place: Staging,
    run: Run,
    files: Sequence[GrawFile],
    proofs: Mapping[str, str],
    taken: Collection[str],
    filed: Filed,
    outside: Outside,
) -> None:
    directory = destination_of(place, run)
    names = _new_names([file.name for file in files], taken)
    rows = [_row(place, run, file, f"{directory}/{names[file.name]}", proofs[file.name]) for file in files]
    await sync_to_async(run_files.plan)(rows)
    await _moved(place, names, directory, rows, outside)
    filed.runs[run] = rows


def _new_names(names: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Name -> its name in the run's directory: the same, or the next beside it that is free."""
    new = {}
    for name in names:
        number, free = 0, name
        while free in taken:
            number += 1
            free = late_name(name, number)
        new[name] = free
    return new


async def _quarantine(
    place: Staging, files: Sequence[GrawFile], why: Mapping[str, str], filed: Filed, outside: Outside
) -> None:
    now = outside.now()
    directory = f"{place.directory}/{QUARANTINE}/{now:%Y-%m-%dT%H-%M-%S.%f}"
    rows = [
        Quarantined(
            node=place.node.name,
            owner=place.owner,
            path=f"{directory}/{file.name}",
            name=file.name,
            size=file.size,
            why=why[file.name],
            planned=True,
            at=now,
        )
        for file in files
    ]
    await sync_to_async(run_files.plan)(rows)
    moves = {file.name: file.name for file in files}
    await _moved(place, moves, directory, rows, outside)
    filed.quarantined += rows


async def _moved(
    place: Staging,
    moves: Mapping[str, str],
    directory: str,
    rows: Sequence[RunFile] | Sequence[Quarantined],
    outside: Outside,
) -> None:
    """Rename the files of these rows, and note them with the sizes that they have then: one may have grown since."""
    there = await outside.nodes.move_files(place.node, place.directory, moves, directory, MOVE_TIMEOUT)
    await sync_to_async(run_files.moved)(rows, [file.size for file in there])


def in_words(place: Staging, filed: Filed, run: Run | None = None) -> str:
    """What there is to say of it, for the verdict of `run` or for an event; empty when all is as always."""
    said = []
    rows = filed.runs.get(run, []) if run else []
    beside = [base for row in rows if (base := row.path.rpartition("/")[2]) != row.name]
    if beside:
        said.append(f"{place.owner}: frames came after the files were moved: {named(beside)}.")
    if filed.quarantined:
        first = filed.quarantined[0]
        names, directory = named([row.name for row in filed.quarantined]), first.path.rpartition("/")[0]
        said.append(f"{place.owner}: {names} quarantined in {directory}: {first.why}")
    return " ".join(said)


def named(names: Sequence[str]) -> str:
    """One name, or how many and the first."""
    return names[0] if len(names) == 1 else f"{len(names)} files ({names[0]}, ...)"
