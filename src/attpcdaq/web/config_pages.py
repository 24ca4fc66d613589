"""Configurations as they were: those of a run, one file of them, and two sides compared."""

from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from attpcdaq.runcontrol.seeing import configurations
from attpcdaq.runcontrol.seeing.configurations import KINDS, LOADED, NOW, Compared, Likeness, Pair, UnknownSideError
from attpcdaq.runlog.models import Experiment, Run, RunConfig
from attpcdaq.topology.models import ConfigKind
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.run_found import chosen_experiment, found_run

SHOWN_BYTES = 1_000_000
RUNS_OFFERED = 300


def diff_address(old: str, new: str) -> str:
    """Where two sides are compared."""
    return f"{reverse('configurations-diff')}?{urlencode({'a': old, 'b': new})}"


@require_GET
def of_run(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """What every ECC server of a run was set up with."""
    run = found_run(experiment, number)
    rows = list(run.configs.select_related("blob").defer("blob__data"))
    likeness = configurations.loaded_as_filed(rows)
    before = Run.objects.filter(experiment=run.experiment, number__lt=number).order_by("-number").first()
    key = f"{run.experiment.name}/{number}"
    context: dict[str, Any] = {
        "run": run,
        "servers": [(name, _lines(list(those), likeness)) for name, those in groupby(rows, lambda row: row.server)],
        "without": [name for name in run.configuration if name not in {row.server for row in rows}],
        "unlike": sum(each.likeness == "different" for each in likeness.values()),
        "not_comparable": sum(each.likeness == "unknown" for each in likeness.values()),
        "compared": len(likeness),
        "before": before,
        "with_before": diff_address(f"{run.experiment.name}/{before.number}", key) if before else "",
        "with_now": diff_address(key, NOW),
        "with_loaded": diff_address(key, f"{key}/{LOADED}"),
        "event_id": latest_event_id(),
    }
    return render(request, "runs/configuration.html", context)


def _lines(rows: list[RunConfig], likeness: dict[tuple[str, str, str], Compared]) -> list[dict[str, Any]]:
    """One line for each kind and name: the file, what was loaded, and whether they are the same."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: KINDS.index(row.kind)):
        empty = {"kind": row.get_kind_display(), "name": row.name, "problems": []}
        line = found.setdefault((row.kind, row.name), empty)
        line[row.source] = row
        line["compared"] = likeness.get((row.server, row.kind, row.name))
        if row.problem:
            line["problems"].append(row.problem)
        elif row.blob_id is None:
            line["problems"].append("Its bytes have not been read yet.")
    return list(found.values())


def _kept(pk: int) -> RunConfig:
    row = RunConfig.objects.filter(pk=pk).select_related("run__experiment", "blob").first()
    if row is None or row.blob is None:
        raise Http404("No such configuration is kept.")
    return row


@require_GET
def one_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The text of one configuration; a text, whatever it holds."""
    row = _kept(pk)
    assert row.blob is not None  # _kept
    text = bytes(row.blob.data[:SHOWN_BYTES]).decode("utf-8", "replace")
    context = {"row": row, "run": row.run, "text": text, "is_cut": row.blob.size > SHOWN_BYTES}
    return render(request, "runs/configuration_file.html", context | {"event_id": latest_event_id()})


@require_GET
def raw(request: HttpRequest, pk: int) -> HttpResponse:
    """The exact bytes, to be saved."""
    row = _kept(pk)
    assert row.blob is not None  # _kept
    name = PurePosixPath(row.path).name or f"{row.kind}-{row.name}.xcfg"
    where = content_disposition_header(True, f"run_{row.run.number:04d}-{row.server}-{row.source}-{name}") or ""
    answer = HttpResponse(bytes(row.blob.data), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = where
    return answer


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Two runs, a run and now, or a run's files and what was loaded: only what is not the same."""
    old, new = request.GET.get("a", ""), request.GET.get("b", "")
    experiment = chosen_experiment(request)
    context = {"old": old, "new": new, "offered": _offered(experiment, old, new), "event_id": latest_event_id()}
    if old and new:
        try:
            sides = configurations.side(old), configurations.side(new)
        except UnknownSideError as error:
            return render(request, "runs/configurations_diff.html", context | {"unknown": str(error)}, status=404)
        found = configurations.pairs(*sides)
        context |= {"sides": sides, "differ": [pair for pair in found if pair.compared.differences]}
        context |= {"not_known": _by_kind(found, "unknown"), "alike": _by_kind(found, "same", "identical")}
    return render(request, "runs/configurations_diff.html", context)


def _offered(experiment: Experiment | None, *chosen: str) -> list[tuple[str, str]]:
    """What may be chosen: now, the latest runs, and what is chosen already."""
    runs = Run.objects.filter(experiment=experiment).order_by("-number")[:RUNS_OFFERED] if experiment else ()
    name = experiment.name if experiment else ""
    offered = {NOW: "Now, as it lies on the nodes"}
    for run in runs:
        offered[f"{name}/{run.number}"] = f"{name} run {run.number}" + (f": {run.title}" if run.title else "")
    return [*offered.items(), *((key, key) for key in dict.fromkeys(chosen) if key and key not in offered)]


def _by_kind(found: list[Pair], *likeness: Likeness) -> list[tuple[str, str, list[Pair]]]:
    """What is so, by kind and by the problem that several have in common."""
    those = sorted((pair for pair in found if pair.compared.likeness in likeness), key=_kind_and_problem)
    return [
        (ConfigKind(KINDS[number]).label, problem, list(pairs))
        for (number, problem), pairs in groupby(those, _kind_and_problem)
    ]


def _kind_and_problem(pair: Pair) -> tuple[int, str]:
    return KINDS.index(pair.kind), pair.compared.problem
