"""Which configurations an ECC server offers, and which of them is used."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.control import check
from attpcdaq.runcontrol.asking.gate import hold_gate
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, blockers
from attpcdaq.topology.models import ConfigSet, ECCServer
from get_protocol.config_set import ConfigId


@transaction.atomic
def store_config_sets(server: ECCServer, config_ids: Collection[ConfigId], at: datetime | None = None) -> None:
    """Keep what the server listed at `at`; what vanished stays as not listed, and the chosen one stays chosen."""
    known = {_config_id(row): row for row in server.config_sets.all()}
    ConfigSet.objects.bulk_create(
        [
            ConfigSet(ecc_server=server, describe=each.describe, prepare=each.prepare, configure=each.configure)
            for each in dict.fromkeys(config_ids)
            if each not in known
        ],
        ignore_conflicts=True,  # another fetch may have stored them just now
    )
    listed = [row.pk for each, row in known.items() if each in config_ids]
    gone = [row.pk for each, row in known.items() if each not in config_ids]
    ConfigSet.objects.filter(pk__in=listed, listed=False).update(listed=True)
    ConfigSet.objects.filter(pk__in=gone, listed=True).update(listed=False)
    ECCServer.objects.filter(pk=server.pk).update(configs_fetched_at=at or timezone.now())
    _choose_the_only_one(server)


def _config_id(row: ConfigSet) -> ConfigId:
    return ConfigId(row.describe, row.prepare, row.configure)


def _choose_the_only_one(server: ECCServer) -> None:
    """Where nothing is chosen and one configuration fits, there is nothing to ask the crew."""
    fitting = list(choices(server)[:2])
    if len(fitting) == 1:
        ECCServer.objects.filter(pk=server.pk, config_set=None).update(config_set=fitting[0])


def choices(server: ECCServer) -> QuerySet[ConfigSet]:
    """What may be chosen: listed and of the board's describe name; the chosen one is always among them."""
    offered = Q(listed=True)
    if server.describe_name:
        offered &= Q(describe=server.describe_name)
    return server.config_sets.filter(offered | Q(pk=server.config_set_id))


@transaction.atomic
def choose(wanted: Mapping[int, int | None], by: Requester) -> int:
    """Choose config sets by server id (None: no choice) and return how many changed.

    SetupBusyError while anything is under way, CommandRefused while somebody else is in charge,
    ValueError for a choice that is not offered: then nothing changed.
    """
    hold_gate()
    servers = {server.pk: server for server in ECCServer.objects.filter(pk__in=wanted)}
    changed = [pk for pk, choice in wanted.items() if pk not in servers or servers[pk].config_set_id != choice]
    if changed and (reasons := blockers()):
        raise SetupBusyError(reasons)
    if changed:
        check(by, timezone.now())
    for pk in changed:
        _choose(servers.get(pk), wanted[pk], by)
    return len(changed)


@transaction.atomic
def choose_everywhere(prepare: str, configure: str, by: Requester) -> tuple[int, tuple[str, ...]]:
    """Choose these names at every ECC server that offers them; how many changed, and where they do not fit.

    Where several describe names would do, the one that is chosen there stays. Errors as `choose`; ValueError where no
    server offers them.
    """
    hold_gate()
    wanted: dict[int, int | None] = {}
    without = []
    for server in ECCServer.objects.select_related("config_set"):
        fitting = list(choices(server).filter(prepare=prepare, configure=configure, listed=True))
        same = [row for row in fitting if server.config_set and row.describe == server.config_set.describe]
        found = same or fitting
        if len(found) == 1:
            wanted[server.pk] = found[0].pk
        else:
            without.append(server.name)
    if not wanted:
        raise ValueError(f"No ECC server offers {prepare[:80]} / {configure[:80]} for its boards.")
    return choose(wanted, by), tuple(without)


def _choose(server: ECCServer | None, choice: int | None, by: Requester) -> None:
    if server is None:
        raise ValueError("An ECC server is no longer part of the setup; load the page again.")
    chosen = None if choice is None else choices(server).filter(pk=choice).first()
    if choice is not None and chosen is None:
        raise ValueError(f"{server.name}: this configuration is not offered (any more); load the page again.")
    before = server.config_set
    ECCServer.objects.filter(pk=server.pk).update(config_set=chosen)
    add_event("setup", f"{by.name}: configuration {chosen or '(none)'}", subject=server.name)
    text = f"{before or '(none)'} -> {chosen or '(none)'}"
    record(by, "configuration", Outcome.DONE, subject=server.name, text=text)
