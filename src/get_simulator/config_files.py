"""The .xcfg files put into a node's /configs at first start: small, valid, and what they say takes effect."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template

from get_simulator.description import MUTANT, Description, short_name

BOARD_PORT = 46001
"""Where a board's server listens (facts 0)."""
MANY_BOARDS = 40
HARDWARE = {"CoBo": "simulatedCoBo", "Mutant": "simulatedMutant"}


def endpoint(board: str) -> tuple[str, int]:
    """Address and port of a board's server: 127.0.1.1 for CoBo[0], 127.0.1.100 for the MuTAnT.

    Nothing listens there: it is how a describe file names the board (facts 3).
    """
    if board == MUTANT:
        return "127.0.1.100", BOARD_PORT
    third, fourth = divmod(int(board[5:-1]), 99)
    return f"127.0.{1 + third}.{1 + fourth}", BOARD_PORT


def make_files(description: Description, node: str) -> dict[str, bytes]:
    """Contents by file name for one node: every server lists the describes of all boards (facts 3).

    Of very many boards only those of the node's own ECC servers: nobody looks through hundreds of files.
    """
    boards = description.boards
    if len(boards) > MANY_BOARDS:
        boards = tuple(board for server in description.ecc_servers if server.node == node for board in server.boards)
    files = {f"describe-{short_name(board)}.xcfg": _describe([board]) for board in boards}
    for server in description.ecc_servers:
        if len(server.boards) > 1:
            files[f"describe-{server.name.removeprefix('ecc-')}.xcfg"] = _describe(server.boards)
    full = description.physics.readout == "full"
    for name, everything, external in (
        ("experiment", full, False),
        ("fullreadout", True, False),
        ("exttime", full, True),
    ):
        files[f"configure-{name}.xcfg"] = _configure(description, full_readout=everything, external_time_reset=external)
    for hardware in HARDWARE.values():
        name = f"hardwareDescription_{hardware}.xcfg"
        files[name] = _template(name).template.encode()
    return files


def write_missing(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write those that are not there; an existing file is somebody's work and stays."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = directory / name
        if not path.exists():
            path.write_bytes(content)


def _describe(boards: Sequence[str]) -> bytes:
    nodes = "".join(_node(kind, [board for board in boards if board.startswith(kind)]) for kind in HARDWARE)
    return _template("describe.xcfg").substitute(nodes=nodes).encode()


def _node(kind: str, boards: Sequence[str]) -> str:
    if not boards:
        return ""
    hardware = f'\t\t<Instance id="*">\n\t\t\t<HardwareConfigId>{HARDWARE[kind]}</HardwareConfigId>\n\t\t</Instance>\n'
    return f'\t<Node id="{kind}">\n{hardware}{"".join(map(_instance, boards))}\t</Node>\n'


def _instance(board: str) -> str:
    fields = endpoint(board)[0].split(".")
    lines = "".join(f'\t\t\t\t<addressField id="{i}">{fields[i]}</addressField>\n' for i in (2, 3))
    name = board[board.index("[") + 1 : -1]
    return f'\t\t<Instance id="{name}">\n\t\t\t<Endpoint>\n{lines}\t\t\t</Endpoint>\n\t\t</Instance>\n'


def _configure(description: Description, *, full_readout: bool, external_time_reset: bool) -> bytes:
    numbers = [board[5:-1] for board in description.boards if board != MUTANT]
    text = '\t\t<Instance id="{0}">\n\t\t\t<Module>\n\t\t\t\t<coboId>{0}</coboId>\n\t\t\t</Module>\n\t\t</Instance>\n'
    values = {
        "cobos": "".join(text.format(number) for number in numbers),
        "full_readout": full_readout,
        "external_time_reset": external_time_reset,
        "mutant_readout": description.mutant == "readout",
    }
    words = {key: str(value).lower() if isinstance(value, bool) else value for key, value in values.items()}
    return _template("configure.xcfg").substitute(words).encode()


def _template(name: str) -> Template:
    return Template((resources.files("get_simulator") / "templates" / name).read_text(encoding="utf-8"))
