"""How many data files a run has, and how large they are: counted once, whoever files at the same moment."""

import importlib

import pytest
from django.apps import apps
from django.db import connection

from attpcdaq.runlog import run_files
from attpcdaq.runlog.models import Run, RunFile
from tests.racing import race_of
from tests.runlog.rows import make_experiment, make_run


@pytest.mark.django_db(transaction=True)
def test_of_nodes_that_file_at_once_all_are_counted() -> None:
    run = make_run(make_experiment(), 1)

    def file(node: str) -> None:
        rows = [
            RunFile(run=run, kind="data", node=node, owner="x", path=f"/{name}", size=10, staging="/s", planned=True)
            for name in "abcde"
        ]
        run_files.plan(rows)
        run_files.moved(rows, [10] * 5)

    assert race_of(*[lambda n=f"node-cobo{number}": file(n) for number in range(8)]) == [None] * 8
    run.refresh_from_db()
    assert (run.data_files, run.data_bytes) == (40, 400)


@pytest.mark.django_db
def test_runs_from_before_are_counted_by_the_migration() -> None:
    experiment = make_experiment()
    with_files, without = make_run(experiment, 1), make_run(experiment, 2)
    for kind, size in (("data", 3), ("data", 1 << 40), ("config", 7)):
        RunFile.objects.create(run=with_files, kind=kind, node="n", owner="x", path=f"/{size}", size=size)
    migration = importlib.import_module("attpcdaq.runlog.migrations.0006_data_of_a_run_counted")
    migration.count(apps, connection.schema_editor())
    found = dict(Run.objects.values_list("pk", "data_bytes"))
    assert found == {with_files.pk: (1 << 40) + 3, without.pk: 0}
    assert Run.objects.get(pk=with_files.pk).data_files == 2
