"""What a configure file says about one board (facts 3)."""

from get_protocol.xcfg import BoardEntry, ConfigTree
from get_simulator.board import Settings


def settings_of(configure: ConfigTree, entry: BoardEntry) -> Settings:
    """The parameters that take effect, with the defaults of the electronics where the file is silent (facts 3)."""

    def value(path: str, default: str) -> str:
        return (configure.value(entry.node_type, entry.instance, path) or default).strip()

    def flag(path: str, *, default: bool) -> bool:
        return value(path, str(default)).lower() == "true"

    first = "AsAd[0]/Aget[0]/Global/Reg1/"
    any_cobo = configure.value("CoBo", entry.instance, "Module/useExternalTimeReset") or "false"
    return Settings(
        cobo_id=_whole(value("Module/coboId", "0"), 0, 255),
        asads=tuple(i for i in range(4) if flag(f"AsAd[{i}]/Control/isActive", default=True)),
        full_readout=flag(first + "isAllChannelRead", default=False),
        fpn_read=flag(first + "isFPNRead", default=False),
        depth=_whole(value("Module/readoutDepth", "512"), 1, 512),
        external_time_reset=any_cobo.strip().lower() == "true",
        mutant_readout=flag("readoutModeEnabled", default=False),
    )


def _whole(text: str, low: int, high: int) -> int:
    try:
        return min(max(int(text, 0), low), high)
    except ValueError:
        return low


def is_active(configure: ConfigTree, entry: BoardEntry) -> bool:
    """Whether the board is configured and started at all."""
    return (configure.value(entry.node_type, entry.instance, "isActive") or "true").strip().lower() == "true"
