"""The configurations of a run as they were: taken over from what its ECC servers have in use."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from attpcdaq.live.config_store import ANSWER
from attpcdaq.live.models import UsedConfig
from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.topology.models import ConfigSource

Key = tuple[str, str, str, str]
PLAIN = ("kind", "source", "name", "path", "blob_id", "problem", "taken_at")


@transaction.atomic
def keep(run: Run, without: Collection[str] = ()) -> None:
    """Take over what is not kept yet; what is kept stays as it is. Call it again when more is known."""
    names = [name for name in run.configuration if name not in without]
    kept = {_key(row.server, row): row for row in run.configs.all()}
    used = list(UsedConfig.objects.filter(ecc_server__name__in=names).select_related("ecc_server"))
    new = []
    for row in used:
        before = kept.get(_key(row.ecc_server.name, row))
        if before is None:
            fields = {name: getattr(row, name) for name in PLAIN}
            new.append(RunConfig(run=run, server=row.ecc_server.name, **fields))
        elif before.blob_id is None:
            RunConfig.objects.filter(pk=before.pk, blob=None).update(**{name: getattr(row, name) for name in PLAIN})
        elif row.blob_id not in (None, before.blob_id):
            _loaded_again(before, row.taken_at)
    RunConfig.objects.bulk_create(new, ignore_conflicts=True)
    _forget_answers(run, used)


def _key(server: str, row: UsedConfig | RunConfig) -> Key:
    return server, row.kind, row.source, row.name


def _loaded_again(row: RunConfig, at: datetime) -> None:
    """A board was repaired while the run was open: what it had first is what is kept."""
    text = f"Loaded again while the run was open ({timezone.localtime(at):%H:%M:%S}), and then it was not the same."
    RunConfig.objects.filter(pk=row.pk, problem="").update(problem=text)


def _forget_answers(run: Run, used: Collection[UsedConfig]) -> None:
    """Whole answers, where what they were made of has taken their place."""
    loaded = [row for row in used if row.source == ConfigSource.LOADED]
    split = {row.ecc_server.name for row in loaded} - {row.ecc_server.name for row in loaded if row.name == ANSWER}
    RunConfig.objects.filter(run=run, name=ANSWER, server__in=split).delete()
