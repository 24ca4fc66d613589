"""The staging directories: which there are, whose they are, and whether what lies in one is quiet."""

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import GrawFile, NodeAddress
from attpcdaq.runcontrol.asking.opening import out_throughout
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.limits import LOOK_COUNTS_FOR
from attpcdaq.runcontrol.seeing.gather import is_excluded
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import DataRouter
from attpcdaq.topology.wiring import node_address

LIST_TIMEOUT = 10.0
LOOK_EVERY = 0.5
# A board that still sends after Stop must not hold the next run up for ever.
QUIET_LIMIT = 60.0
# A look that was handed on by another process and is older than this is looked at anew.
HANDED_ON_COUNTS_FOR = 60.0
# Seconds after a look in which nobody else can have gone on: who works says so twice a second, and is taken for dead
# after four seconds of silence. On a busy machine a look and an answer of the database take more than one of them.
ALONE_FOR = 3.0
OWNER_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Staging:
    """One staging directory and the routers that write into it."""

    node: NodeAddress
    directory: str
    owner: str
    excluded: bool = False
    """All its routers are excluded by now: what is quiet is moved, and nothing is waited for."""
    node_id: int = 0
    servers: frozenset[str] = frozenset()
    """The ECC servers whose boards send there."""

    @property
    def key(self) -> str:
        """Its name where it is written down."""
        return f"{self.node.name}:{self.directory}"


def staging_directories() -> list[Staging]:
    """Every staging directory once, even when routers share it; not where only excluded ones write."""
    return [place for place in _all_places() if not place.excluded]


def places_of(run: Run) -> list[Staging]:
    """Where files of a run may lie: who was excluded from beginning to end took none."""
    return _all_places(without=out_throughout(run))


def _all_places(without: Container[str] = ()) -> list[Staging]:
    sharing: dict[tuple[int, str], list[DataRouter]] = {}
    for router in DataRouter.objects.select_related("node", "data_source__ecc_server__exclusion"):
        sharing.setdefault((router.node_id, router.staging_dir), []).append(router)
    shared = (routers for routers in sharing.values() if not all(_drives(router) in without for router in routers))
    return [
        Staging(
            node_address(routers[0].node),
            routers[0].staging_dir,
            _owner([router.name for router in routers]),
            excluded=all(is_excluded(router) for router in routers),
            node_id=routers[0].node_id,
            servers=frozenset(filter(None, map(_drives, routers))),
        )
        for routers in shared
    ]


def _drives(router: DataRouter) -> str:
    """The ECC server of its board; empty for a router without one."""
    source = getattr(router, "data_source", None)
    return source.ecc_server.name if source else ""


def _owner(names: Sequence[str]) -> str:
    """Whose files they are, as far as the name of a directory can tell."""
    together = ", ".join(names)
    return together if len(together) <= OWNER_LENGTH else f"{len(names)} routers"


def digest(sizes: Iterable[tuple[str, int]]) -> str:
    """What a listing held: the same names and sizes give the same text."""
    return hashlib.sha256(repr(sorted(sizes)).encode()).hexdigest()


async def listed(place: Staging, directory: str, outside: Outside) -> tuple[GrawFile, ...]:
    """The files of a directory on its node, none when there is no such directory. GatewayError."""
    try:
        return await outside.nodes.list_graw(place.node, directory, LIST_TIMEOUT)
    except Refused as error:
        if error.code not in (None, Refused.MISSING):
            raise
        return ()


async def quiet_files(place: Staging, outside: Outside, held: Mapping[str, object]) -> tuple[GrawFile, ...]:
    """The files once two looks in a row saw the same names and sizes (facts 4: sizes on disk are current).

    `held` is what a Stop saw of the place (`Run.quiet`): where it is still so, that was the first of the two looks.
    GatewayError, also when they go on growing.
    """
    deadline = outside.monotonic() + (0.0 if place.excluded else QUIET_LIMIT)
    before = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
    if not before or _is_held(before, held, outside):
        return before
    while True:
        await outside.sleep(LOOK_EVERY)
        files = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
        if _sizes(files) == _sizes(before):
            return files
        if outside.monotonic() >= deadline:
            raise GatewayError(f"its files in {place.directory} still grow: nothing was moved.")
        before = files


def _sizes(files: Sequence[GrawFile]) -> list[tuple[str, int]]:
    return [(file.name, file.size) for file in files]


def _is_held(files: Sequence[GrawFile], held: Mapping[str, object], outside: Outside) -> bool:
    since = held.get("since")
    if not isinstance(since, (int, float)) or held.get("digest") != digest(_sizes(files)):
        return False
    return LOOK_EVERY <= outside.now().timestamp() - since <= HANDED_ON_COUNTS_FOR


async def still_the_same(
    place: Staging, files: Sequence[GrawFile], looked: float, outside: Outside, is_ours: Callable[[], bool]
) -> bool:
    """Whether what was seen at `looked` (monotonic) may be moved now: it is still so, and still ours to move.

    Somebody else may have gone on for a mover that stood still: what lies there then belongs to the next run.
    """
    if outside.monotonic() - looked > LOOK_COUNTS_FOR:
        looked = outside.monotonic()
        now = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
        if _sizes(now) != _sizes(files):
            return False
    while outside.monotonic() - looked <= ALONE_FOR:
        asked = outside.monotonic()
        if not await sync_to_async(is_ours)():
            return False
        if outside.monotonic() - asked <= LOOK_COUNTS_FOR:
            return True
    return False
