"""Which sources a run's configuration lets send, as far as it was kept (facts 3)."""

from dataclasses import dataclass

from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.topology.models import ConfigKind, ConfigSource
from get_protocol.errors import ProtocolError
from get_protocol.xcfg import ConfigTree, parse_configure

ASADS = 4


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What one board reads out; None is unknown."""

    active: bool = True
    cobo: int | None = None
    asads: frozenset[int] | None = None
    mutant_read: bool | None = None


def read_outs(run: Run) -> dict[str, ReadOut]:
    """By data sender id, for the boards of which a configuration was kept and can be read.

    What the ECC server says it loaded counts before the file, which may have been changed before it was read.
    """
    kept = RunConfig.objects.filter(run=run, kind=ConfigKind.CONFIGURE)
    boards = {server: recorded["boards"] for server, recorded in run.configuration.items()}
    found = {}
    by_weight = sorted(
        kept.exclude(blob=None).select_related("blob"), key=lambda row: row.source == ConfigSource.LOADED
    )
    for row in by_weight:
        assert row.blob is not None  # excluded above
        for sender in boards.get(row.server, ()):
            read = _read_out(bytes(row.blob.data), sender)
            if read is not None:
                found[sender] = read
    return found


def _read_out(data: bytes, sender: str) -> ReadOut | None:
    node_type, _, instance = sender.rstrip("]").partition("[")
    try:
        tree = parse_configure(data)
        return ReadOut(
            active=tree.flag(node_type, instance, "isActive") is not False,
            cobo=tree.number(node_type, instance, "Module/coboId"),
            asads=_asads(tree, node_type, instance),
            mutant_read=tree.flag(node_type, instance, "readoutModeEnabled"),
        )
    except ProtocolError:
        return None


def _asads(tree: ConfigTree, node_type: str, instance: str) -> frozenset[int] | None:
    """The AsAds that are switched on; None where the file says nothing of any."""
    flags = {number: tree.flag(node_type, instance, f"AsAd[{number}]/Control/isActive") for number in range(ASADS)}
    if all(flag is None for flag in flags.values()):
        return None
    return frozenset(number for number, flag in flags.items() if flag)
