"""Which configurations each ECC server may use, who else uses them, and in which runs they were used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q

from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import ConfigSet, ECCServer

RUNS_LOOKED_AT = 200
Pair = tuple[str, str]
"""Names for Prepare and Configure, which boards can have in common; each has its own for Describe."""


@dataclass(frozen=True, slots=True)
class Used:
    """How many of the latest runs an ECC server had this in, and the last of them (experiment and number)."""

    runs: int = 0
    last: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One configuration that a server may use. `others`: ECC servers with the same names for Prepare and Configure."""

    row: ConfigSet
    is_chosen: bool
    others: tuple[str, ...]
    used: Used = Used()

    @property
    def pair(self) -> Pair:
        return self.row.prepare, self.row.configure


@dataclass(frozen=True, slots=True)
class ServerChoices:
    """An ECC server and what fits its boards; `listed` counts all that it lists."""

    server: ECCServer
    choices: tuple[Choice, ...]
    listed: int

    @property
    def chosen(self) -> Choice | None:
        return next((choice for choice in self.choices if choice.is_chosen), None)


@dataclass(frozen=True, slots=True)
class Common:
    """A pair of names that servers have in common: who could use it, and who does."""

    pair: Pair
    fits: tuple[str, ...]
    used_by: tuple[str, ...]

    @property
    def label(self) -> str:
        return " / ".join(self.pair)


def server_choices(names: Sequence[str] | None = None, *, with_runs: bool = False) -> list[ServerChoices]:
    """Every ECC server, or those named, with what fits; the same few queries however many there are."""
    every = list(ECCServer.objects.select_related("node", "config_set").prefetch_related("data_sources"))
    servers = every if names is None else [server for server in every if server.name in names]
    offered = _offered([server.pk for server in servers])
    using, listed = _using(every), _listed()
    used = _used({server.name for server in servers}) if with_runs else {}
    return [
        ServerChoices(
            server, tuple(_choices(server, offered.get(server.pk, ()), using, used)), listed.get(server.pk, 0)
        )
        for server in servers
    ]


def in_common(servers: Iterable[ServerChoices]) -> list[Common]:
    """Every pair that fits at least two servers, those that fit most first."""
    fits: dict[Pair, dict[str, bool]] = {}
    for one in servers:
        for choice in one.choices:
            using = fits.setdefault(choice.pair, {})
            using[one.server.name] = using.get(one.server.name, False) or choice.is_chosen
    found = [
        Common(pair, tuple(using), tuple(name for name, uses in using.items() if uses))
        for pair, using in fits.items()
        if len(using) > 1
    ]
    return sorted(found, key=lambda common: (-len(common.fits), common.pair))


def _listed() -> dict[int, int]:
    rows = ConfigSet.objects.filter(listed=True).order_by().values("ecc_server").annotate(count=Count("pk"))
    return dict(rows.values_list("ecc_server", "count"))


def _offered(servers: Sequence[int]) -> dict[int, list[ConfigSet]]:
    """As `asking.configs.choices`, for all at once."""
    fits = Q(listed=True) & (Q(ecc_server__describe_name="") | Q(describe=F("ecc_server__describe_name")))
    chosen = Q(pk=F("ecc_server__config_set_id"))
    found: dict[int, list[ConfigSet]] = {}
    for row in ConfigSet.objects.filter(fits | chosen, ecc_server__in=servers):
        found.setdefault(row.ecc_server_id, []).append(row)
    return found


def _using(servers: Iterable[ECCServer]) -> dict[Pair, list[str]]:
    using: dict[Pair, list[str]] = {}
    for server in servers:
        if server.config_set is not None:
            using.setdefault((server.config_set.prepare, server.config_set.configure), []).append(server.name)
    return using


def _choices(
    server: ECCServer,
    rows: Iterable[ConfigSet],
    using: Mapping[Pair, Sequence[str]],
    used: Mapping[tuple[str, str], Used],
) -> Iterable[Choice]:
    for row in rows:
        others = tuple(name for name in using.get((row.prepare, row.configure), ()) if name != server.name)
        is_chosen = row.pk == server.config_set_id
        yield Choice(row, is_chosen, others, used.get((server.name, str(row)), Used()))


def _used(names: set[str]) -> dict[tuple[str, str], Used]:
    """By ECC server and configuration, in the latest runs of all experiments."""
    runs = Run.objects.order_by("-requested_at").values_list("experiment__name", "number", "configuration")
    found: dict[tuple[str, str], Used] = {}
    for experiment, number, configuration in runs[:RUNS_LOOKED_AT]:
        for server in names & configuration.keys():
            key = server, str(configuration[server].get("config", ""))
            before = found.get(key, Used(0, (experiment, number)))
            found[key] = Used(before.runs + 1, before.last)
    return found
