"""The Text of an ECC server's Describe and Configure answers, as captured (facts 1.3)."""

from collections.abc import Mapping, Sequence

from get_protocol.ecc_messages import ServerLink
from get_protocol.xcfg import BoardEntry
from get_simulator.repository import NoConfiguration, Repository


def sender_set(senders: Sequence[str]) -> str:
    """The DataSenderSet (capture 03)."""
    lines = "".join(f'\t<DataSender id="{sender}" />\n' for sender in senders)
    return f"<DataSenderSet>\n{lines}</DataSenderSet>"


def link_set(senders: Sequence[str], links: Mapping[str, ServerLink]) -> str:
    """The DataLinkSet of the links that are used, in the order of the senders (capture 05)."""
    lines = "".join(_link(links[sender]) for sender in senders if sender in links)
    return f"<DataLinkSet>\n{lines}</DataLinkSet>\n"


def _link(link: ServerLink) -> str:
    return (
        f'\t<DataLink><DataSender id="{link.sender}" /><DataRouter  name="{link.router}" '
        f'ipAddress="{link.address}" port="{link.port}" type="{link.type}" /></DataLink>\n'
    )


def config_set(repository: Repository, names: Mapping[str, str], boards: Sequence[BoardEntry]) -> str:
    """The ConfigSet with every file used; one hardware file for each board (captures 05, 85).

    The prepare file is a configure file under a made-up name (facts 3). Raises NoConfiguration.
    """
    files = [_file(repository, "describe", "describe", names["describe"])]
    kinds = [kind for kind in ("prepare", "configure") if kind in names]
    files += [_file(repository, kind, "configure", names[kind]) for kind in kinds]
    files += [_hardware(repository, board.hardware_config) for board in boards]
    return f"<ConfigSet>\n{''.join(files)}</ConfigSet>"


def _file(repository: Repository, kind: str, source: str, name: str) -> str:
    text = repository.root_text(source, name)
    return _tagged(f"{kind}-{name}.xcfg", kind, name, text)


def _hardware(repository: Repository, name: str) -> str:
    try:
        return _tagged(
            f"hardwareDescription_{name}.xcfg", "hardware", name, repository.root_text("hardwareDescription", name)
        )
    except NoConfiguration:
        return ""


def _tagged(filename: str, kind: str, name: str, text: str) -> str:
    return f'<File filename="{filename}" format="xcfg" subConfigType="{kind}" subConfigId="{name}">\n{text}\n</File>\n'
