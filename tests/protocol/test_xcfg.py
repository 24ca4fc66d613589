"""Configuration files of the real software, and the rule by which templates are overridden."""

from pathlib import Path

import pytest

from get_protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from get_protocol.xcfg import BoardEntry, parse_configure, parse_describe
from tests.protocol.recorded import GOLDEN, recorded

COBO0 = '<Node id="CoBo"><Instance id="0"/></Node>'
CONFIGS: list[Path] = sorted((GOLDEN / "configs").glob("*.xcfg"))


def conditions(inner: str) -> bytes:
    return f'<Setup id="Conditions">{inner}</Setup>'.encode()


def describe(inner: str, *, port: str = "46001", field: str = "1", active: str = "true") -> bytes:
    endpoint = "".join(f'<addressField id="{i}">{field}</addressField>' for i in range(4)) + f"<port>{port}</port>"
    template = f"<Endpoint>{endpoint}</Endpoint><isActive>{active}</isActive>"
    node = f'<Node id="*"><Instance id="*">{template}</Instance></Node>'
    return f'<Setup id="Hardware">{node}{inner}</Setup>'.encode()


@pytest.mark.parametrize(
    ("name", "board"),
    [
        ("describe-cobo0", BoardEntry("CoBo", "0", "127.0.1.1", 46001, "fullCoBoStandAlone", True)),
        ("describe-cobo1", BoardEntry("CoBo", "1", "127.0.1.2", 46001, "fullCoBoStandAlone", True)),
        ("describe-mutant", BoardEntry("Mutant", "master", "127.0.1.100", 46001, "Mutant", True)),
    ],
)
def test_describe(name: str, board: BoardEntry) -> None:
    assert parse_describe(recorded("configs", f"{name}.xcfg")) == (board,)
    assert board.sender_id == f"{board.node_type}[{board.instance}]"


@pytest.mark.parametrize("name", ["experiment", "exttime", "fullreadout"])
def test_configure(name: str) -> None:
    tree = parse_configure(recorded("configs", f"configure-{name}.xcfg"))
    assert tree.instances[0] == ("CoBo", "0")
    assert ("Mutant", "master") in tree.instances
    assert [tree.number("CoBo", str(i), "Module/coboId") for i in range(1, 12)] == list(range(1, 12))
    assert tree.value("CoBo", "3", "Module/readoutDepth") == "512"
    assert tree.value("CoBo", "3", "Module/triggerMode") == "periodically"
    assert tree.flag("CoBo", "3", "isActive") is True
    assert tree.flag("CoBo", "3", "AsAd[2]/Control/isActive") is True
    assert tree.flag("CoBo", "3", "AsAd[2]/Aget[1]/Control/isActive") is True
    assert tree.flag("CoBo", "3", "AsAd[2]/Aget[1]/Global/Reg1/isAllChannelRead") is (name == "fullreadout")
    assert tree.flag("CoBo", "3", "Module/useExternalTimeReset") is (name == "exttime")
    assert tree.flag("Mutant", "master", "readoutModeEnabled") is True
    assert tree.flag("CoBo", "3", "Alarms/subscribe") is True
    assert tree.number("CoBo", "3", "CircularBuffer/startOfMemory") == 0x8000000
    assert tree.value("CoBo", "3", "Module/nosuch") is None
    assert tree.flag("CoBo", "3", "Module/nosuch") is None
    assert tree.number("CoBo", "3", "Module/nosuch") is None


def test_more_explicit_value_wins() -> None:
    tree = parse_configure(
        conditions(
            """<Node id="*"><Instance id="*"><a>1</a><b>1</b><c id="*">1</c><c id="2">2</c></Instance></Node>
            <Node id="CoBo"><Instance id="*"><b>2</b></Instance>
            <Instance id="0"><!-- x --><a> 3 <!-- y --> </a><c id="*">4</c><d/></Instance></Node>"""
        )
    )
    assert tree.instances == (("CoBo", "0"),)
    assert [tree.value("CoBo", instance, "a") for instance in ("0", "1")] == ["3", "1"]
    assert [tree.value("CoBo", instance, "b") for instance in ("0", "1")] == ["2", "2"]
    assert [tree.value("CoBo", "0", f"c[{i}]") for i in ("1", "2", "*")] == ["4", "2", "4"]
    assert tree.value("Mutant", "master", "c[7]") == "1"
    assert tree.value("CoBo", "0", "d") is None


def test_inactive_boards_are_listed_as_such() -> None:
    instances = '<Instance id="0"/><Instance id="1"><isActive>false</isActive></Instance><Instance id="0"/>'
    boards = parse_describe(describe(f'<Node id="CoBo">{instances}</Node>'))
    assert [(board.sender_id, board.active) for board in boards] == [("CoBo[0]", True), ("CoBo[1]", False)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the describe file is not well-formed"),
        (b'<!DOCTYPE x><Setup id="Hardware"/>', "the describe file has a DOCTYPE"),
        (b"<Setup/>", "expected 'Hardware'"),
        (conditions(""), "expected 'Hardware'"),
        (describe(COBO0, port="0"), "CoBo[0]: port is 0; allowed: 1 to 65535"),
        (describe(COBO0, port="x"), "CoBo[0]/Endpoint/port is 'x'"),
        (describe(COBO0, field="256"), "CoBo[0]: address fields are [256"),
        (
            describe(COBO0, active="yes"),
            "isActive is 'yes'; allowed: true, false",
        ),
        (b'<Setup id="Hardware"><Node id="A"><Instance id="0"/></Node></Setup>', "A[0]: address fields are [None"),
    ],
)
def test_wrong_field_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_describe(data)
    assert reason in str(caught.value)


@pytest.mark.parametrize("path", ["", "a//b", "a[", "a[]", "[0]", "a[0]b"])
def test_path_must_be_one(path: str) -> None:
    with pytest.raises(LocalProtocolError, match="path is"):
        parse_configure(conditions("")).value("CoBo", "0", path)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_truncated_file_is_refused(path: Path) -> None:
    data = path.read_bytes()
    for read in (parse_configure, parse_describe):
        with pytest.raises(ProtocolError):
            read(data[: len(data) // 2])
