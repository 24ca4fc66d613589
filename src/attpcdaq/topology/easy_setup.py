"""Easy setup: a regular detector from a few numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address

from attpcdaq.topology import setup_values as values
from attpcdaq.topology.models import Access, Role
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SetupError, SourceEntry
from attpcdaq.topology.setup_check import faults
from get_protocol.config_set import ConfigId

MAX_COBOS = 32
ONE_EACH, ONE_FOR_ALL = "one-each", "one-for-all"
NO_MUTANT, NO_READOUT, READOUT = "none", "no-readout", "readout"


@dataclass(frozen=True, slots=True)
class Series:
    """Addresses of board 0, 1, 2 ...: the host grows by `host_step` (or holds {n}), the port by `port_step`."""

    host: str = "127.0.0.1"
    port: int = 8083
    host_step: int = 0
    port_step: int = 0

    def at(self, board: int) -> tuple[str, int]:
        """Host and port for a board number; ValueError says what is allowed."""
        return self._host(board), values.port(self.port + board * self.port_step)

    def _host(self, board: int) -> str:
        if not self.host_step:
            return values.host(self.host.replace("{n}", str(board)))
        try:
            return str(IPv4Address(self.host) + board * self.host_step)
        except AddressValueError:
            raise ValueError("an address step needs a numeric IPv4 address that stays below 256.0.0.0") from None


@dataclass(frozen=True, slots=True)
class EasySetup:
    """The numbers. `{n}` stands for the board's number; the MuTAnT's comes after the last CoBo's.

    In the restart commands and log files `{name}` stands for the name of the ECC server or data router. `agent` gives
    ports only: an agent listens on its node's address. It needs neither commands nor the directories of configurations.
    """

    cobos: int = 10
    ecc_servers: str = ONE_EACH
    mutant: str = READOUT
    ecc: Series = field(default_factory=lambda: Series(port=8083, port_step=1))
    router: Series = field(default_factory=lambda: Series(port=46005, port_step=1))
    ssh: Series = field(default_factory=lambda: Series(port=8022, port_step=1))
    ssh_user: str = ""
    access: str = Access.SSH.value
    agent: Series = field(default_factory=lambda: Series("", 8080))
    restart_ecc: str = "systemctl restart {name}"
    restart_router: str = "systemctl restart {name}"
    link_type: str = "TCP"
    process_name: str = "dataRouter"
    staging_dir: str = "/staging"
    log_file: str = ""
    ecc_log_file: str = ""
    config_dir: str = "/configs"
    backup_dir: str = "/config_backup"
    describe_cobo: str = "cobo{n}"
    describe_mutant: str = "mutant"
    describe_all: str = "all"
    prepare: str = ""
    configure: str = ""


@dataclass(frozen=True, slots=True)
class _Board:
    number: int
    label: str
    sender_id: str
    role: str
    sends: bool


def expand(easy: EasySetup) -> Setup:
    """The setup it stands for; SetupError says which number does not fit."""
    try:
        setup = _expand(easy)
    except ValueError as error:
        raise SetupError([str(error)]) from None
    if found := faults(setup):
        raise SetupError(found)
    return setup


def _expand(easy: EasySetup) -> Setup:
    if not 1 <= easy.cobos <= MAX_COBOS:
        raise ValueError(f"number of CoBos {easy.cobos}: use 1 to {MAX_COBOS}")
    boards = tuple(_boards(easy))
    one_for_all = easy.ecc_servers == ONE_FOR_ALL
    servers = (_common_server(easy),) if one_for_all else tuple(_server(easy, board) for board in boards)
    # A MuTAnT that neither sends nor has an ECC server of its own needs no node.
    nodes = tuple(_node(easy, board) for board in boards if board.sends or not one_for_all)
    routers = tuple(_router(easy, board) for board in boards if board.sends)
    return Setup(nodes, servers, routers, tuple(_source(board, one_for_all) for board in boards))


def _boards(easy: EasySetup) -> Iterator[_Board]:
    for number in range(easy.cobos):
        yield _Board(number, f"cobo{number}", f"CoBo[{number}]", Role.COBO, sends=True)
    if easy.mutant != NO_MUTANT:
        yield _Board(easy.cobos, "mutant", "Mutant[master]", Role.MUTANT, sends=easy.mutant == READOUT)


def _numbered(what: str, pattern: str, board: int, read: values.Reader) -> str:
    return _checked(what, pattern.replace("{n}", str(board)), read) if pattern else ""


def _checked(what: str, text: str, read: values.Reader) -> str:
    try:
        return str(read(text))
    except ValueError as error:
        raise ValueError(f"{what} {text!r}: {error}") from None


def _node(easy: EasySetup, board: _Board) -> NodeEntry:
    host, port = _address("node", easy.ssh, board.number)
    name = f"node-{board.label}"
    if _checked("access", easy.access, values.access) == Access.AGENT:
        return NodeEntry(name, host, easy.access, _agent_port(easy, board.number))
    restart = values.optional(values.restart_command)
    return NodeEntry(
        name=name,
        host=host,
        ssh_port=port,
        ssh_user=_checked("SSH user", easy.ssh_user, values.optional(values.user)),
        restart_ecc=_checked("restart command of an ECC server", easy.restart_ecc, restart),
        restart_router=_checked("restart command of a data router", easy.restart_router, restart),
    )


def _agent_port(easy: EasySetup, board: int) -> int:
    port = easy.agent.port + board * easy.agent.port_step
    try:
        return values.port(port)
    except ValueError as error:
        raise ValueError(f"agent of board {board} at port {port}: {error}") from None


def _address(what: str, series: Series, board: int) -> tuple[str, int]:
    try:
        return series.at(board)
    except ValueError as error:
        port = series.port + board * series.port_step
        raise ValueError(f"{what} of board {board} at {series.host} port {port}: {error}") from None


def _server(easy: EasySetup, board: _Board) -> ServerEntry:
    pattern = easy.describe_mutant if board.role == Role.MUTANT else easy.describe_cobo
    return _server_entry(easy, board.number, board.label, f"node-{board.label}", pattern)


def _common_server(easy: EasySetup) -> ServerEntry:
    return _server_entry(easy, 0, "all", "node-cobo0", easy.describe_all)


def _server_entry(easy: EasySetup, board: int, label: str, node: str, describe: str) -> ServerEntry:
    host, port = _address("ECC server", easy.ecc, board)
    describe_name = _numbered("describe name", describe, board, values.describe)
    config_dir, backup_dir = ("", "") if easy.access == Access.AGENT else (easy.config_dir, easy.backup_dir)
    name = f"ecc-{label}"
    return ServerEntry(
        name=name,
        node=node,
        host=host,
        port=port,
        describe_name=describe_name,
        config_dir=_numbered("directory of the configurations", config_dir, board, values.directory),
        backup_dir=_numbered("backup directory", backup_dir, board, values.directory),
        log_file=_log_file("log file of the ECC server", easy.ecc_log_file, name, board, easy),
        config=_config(describe_name, easy),
    )


def _config(describe: str, easy: EasySetup) -> ConfigId | None:
    if not (easy.prepare or easy.configure):
        return None
    return values.config({"describe": describe, "prepare": easy.prepare, "configure": easy.configure or easy.prepare})


def _router(easy: EasySetup, board: _Board) -> RouterEntry:
    host, port = _address("data router", easy.router, board.number)
    name = f"router-{board.label}"
    return RouterEntry(
        name=name,
        node=f"node-{board.label}",
        host=host,
        port=port,
        staging_dir=_numbered("staging directory", easy.staging_dir or "(empty)", board.number, values.directory),
        link_type=_checked("data link type", easy.link_type, values.link_type),
        process_name=_checked("data router program", easy.process_name, values.process_name),
        log_file=_log_file("log file", easy.log_file, name, board.number, easy),
    )


def _log_file(what: str, pattern: str, name: str, board: int, easy: EasySetup) -> str:
    """An agent reads no files, so nodes behind one have none."""
    if easy.access == Access.AGENT:
        return ""
    return _numbered(what, pattern.replace("{name}", name), board, values.path)


def _source(board: _Board, one_for_all: bool) -> SourceEntry:
    server = "ecc-all" if one_for_all else f"ecc-{board.label}"
    return SourceEntry(board.sender_id, board.role, server, f"router-{board.label}" if board.sends else "")
