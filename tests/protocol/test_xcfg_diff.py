"""Configurations compared by parameter: what counts, what does not, and files that want to do harm."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.config_set import file_names
from get_protocol.data_links import parse_configure_text
from get_protocol.ecc_client import decode_text_reply
from get_protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError, XmlRefused
from get_protocol.xcfg_diff import MAX_BYTES, MAX_PARAMETERS, MAX_PATH, Difference, diff, flatten
from tests.protocol.recorded import GOLDEN, recorded, response

RECORDED = [path.name for path in (GOLDEN / "configs").iterdir()]


def differences(old: bytes | str, new: bytes | str) -> list[Difference]:
    return list(diff(flatten(old, "old"), flatten(new, "new")))


def setup(inner: str) -> str:
    return f'<Setup id="Conditions">{inner}</Setup>'


def cobo(inner: str, instance: str = "0") -> str:
    return setup(f'<Node id="CoBo"><Instance id="{instance}">{inner}</Instance></Node>')


def test_parameters_are_named_as_a_physicist_reads_them() -> None:
    found = flatten(recorded("configs", "configure-experiment.xcfg"), "it")
    assert found["CoBo[*]", "Module/coboId"] == "0"
    assert found["CoBo[3]", "Module/coboId"] == "3"
    assert found["CoBo[*]", "Module/readoutDepth@range"] == "[0, 512]"
    assert found["ECC", "parallelProcessing"] == "true"
    assert any(parameter.startswith("AsAd[") for _, parameter in found)


def test_the_real_files_differ_in_one_parameter() -> None:
    files = (recorded("configs", f"configure-{name}.xcfg") for name in ("experiment", "exttime"))
    assert differences(*files) == [Difference("CoBo[*]", "Module/useExternalTimeReset", "false", "true")]


@pytest.mark.parametrize("capture", ["05-Configure", "80-mutant-Configure", "85-twocobos-Configure"])
def test_what_the_real_server_says_it_loaded_is_the_file(capture: str) -> None:
    """The declaration is dropped and the file of Prepare has a made-up name (facts 1.3, 3)."""
    answer = response(capture)
    assert answer is not None
    compared = 0
    for file in parse_configure_text(decode_text_reply(200, answer.body).text).files:
        name = file_names(file.kind, file.name)[0]
        if name not in RECORDED:
            continue
        original = recorded("configs", name)
        assert original.decode() != file.content
        assert differences(original, file.content) == []
        compared += 1
    assert compared >= 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<x>1</x>", "<!-- why --><x>\n\t1 </x>"),
        ("<x>1</x>", "<x><!-- a -->1<!-- b --></x>"),
        ("<x>1</x>", "<x><![CDATA[1]]></x>"),
        ("<x>1</x><y>2</y>", "<y>2</y>\n<x>1</x>"),
        ('<x range="a" unit="b">1</x>', "<x unit='b' range='a'>1</x>"),
        ("<x></x>", "<x/>"),
        ("<x>&#49;</x>", "<x>1</x>"),
        ("<x>1</x>", "<?go on?><x>1</x>"),
    ],
)
def test_what_does_not_count(one: str, other: str) -> None:
    assert differences(cobo(one), '<?xml version="1.0" encoding="UTF-8"?>\n' + cobo(other)) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("<x>1</x>", "<x>2</x>", Difference("CoBo[0]", "x", "1", "2")),
        ("<x>1</x>", "", Difference("CoBo[0]", "x", "1", None)),
        ("", '<A id="1"><x>1</x></A>', Difference("CoBo[0]", "A[1]/x", None, "1")),
        ('<x range="1">1</x>', '<x range="2">1</x>', Difference("CoBo[0]", "x@range", "1", "2")),
        ("<x>1</x><x>2</x>", "<x>1</x><x>3</x>", Difference("CoBo[0]", "x#2", "2", "3")),
        ("<x>1</x><x>2</x>", "<x>2</x><x>1</x>", Difference("CoBo[0]", "x", "1", "2")),
        ("<a>1<b>2</b></a>", "<a>3<b>2</b></a>", Difference("CoBo[0]", "a", "1", "3")),
        ("<a><b>2</b>1</a>", "<a><b>2</b>3</a>", Difference("CoBo[0]", "a", "1", "3")),
        ("<x>True</x>", "<x>true</x>", Difference("CoBo[0]", "x", "True", "true")),
        ("<x>1  2</x>", "<x>1 2</x>", Difference("CoBo[0]", "x", "1  2", "1 2")),
        ('<x xmlns="urn:a">1</x>', '<x xmlns="urn:a">2</x>', Difference("CoBo[0]", "{urn:a}x", "1", "2")),
    ],
)
def test_what_counts(one: str, other: str, found: Difference) -> None:
    assert found in differences(cobo(one), cobo(other))


def test_a_second_instance_of_the_same_name_is_another_one() -> None:
    twice = '<Node id="CoBo"><Instance id="0"><x>1</x></Instance><Instance id="0"><x>2</x></Instance></Node>'
    assert flatten(setup(twice), "it") == {
        ("Setup", "@id"): "Conditions",
        ("CoBo[0]", "x"): "1",
        ("CoBo[0]#2", "x"): "2",
    }
    nodes = '<Node id="CoBo"><Instance id="0"><x>1</x></Instance></Node>'
    assert ("CoBo#2[0]", "x") in flatten(setup(nodes + nodes), "it")


@pytest.mark.parametrize("inner", ["stray", '<Node id="CoBo">stray</Node>', "<a>stray<x/></a>", "<a>stray</a>"])
def test_text_in_a_place_where_none_belongs_is_not_passed_over(inner: str) -> None:
    changed = differences(setup(inner), setup(inner.replace("stray", "other")))
    assert [(each.old, each.new) for each in changed] == [("stray", "other")]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.text("ab/[]@#\\ 01", max_size=6), st.sampled_from("12")),
        max_size=6,
    )
)
def test_no_name_makes_a_parameter_disappear(items: list[tuple[str, str, str]]) -> None:
    """As many parameters as there are leaves, whatever stands in their ids."""
    inner = "".join(f'<{tag} id="{name}"><{tag}>{value}</{tag}></{tag}>' for tag, name, value in items)
    values = [value for path, value in flatten(cobo(inner or "<a>1</a>"), "it").items() if path[1] != "@id"]
    assert sorted(values) == sorted(value for _, _, value in items) or not items


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        flatten(data, "it")


@given(st.integers(0, 47_000), st.binary(min_size=1, max_size=4))
def test_a_real_file_that_is_broken_somewhere_is_read_or_refused(at: int, put: bytes) -> None:
    data = recorded("configs", "configure-experiment.xcfg")
    with suppress(ProtocolError):
        list(diff(flatten(data, "it"), flatten(data[:at] + put + data[at:], "it")))


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Setup id="Conditions"><x>&b;</x></Setup>'
ENTITY = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Setup id="Conditions"><x>&f;</x></Setup>'


@pytest.mark.parametrize("hostile", [BOMB, ENTITY, "<a>" * 100, "<a>" * 70 + "</a>" * 70, "<x>&f;</x>", "\0", ""])
def test_what_wants_to_do_harm_is_refused(hostile: str) -> None:
    with pytest.raises(XmlRefused):
        flatten(hostile, "it")


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(XmlRefused, match=str(MAX_BYTES)):
        flatten(b"<a>" + b" " * MAX_BYTES + b"</a>", "it")


def test_too_many_parameters_are_refused() -> None:
    many = "<a/>" * (MAX_PARAMETERS + 1)
    with pytest.raises(RemoteProtocolError, match=str(MAX_PARAMETERS)):
        flatten(cobo(many), "it")


@pytest.mark.parametrize("leaf", ["<a/>" * 100_000, '<a x="1"/>', "text"])
def test_long_names_do_not_multiply(leaf: str) -> None:
    """Sixty levels of long names above many leaves would be gigabytes of paths."""
    names = [f"n{level}{'x' * 30_000}" for level in range(50)]
    nested = "".join(f"<{name}>" for name in names) + leaf + "".join(f"</{name}>" for name in reversed(names))
    began = time.perf_counter()
    with pytest.raises(RemoteProtocolError, match=str(MAX_PATH)):
        flatten(setup(nested), "it")
    assert time.perf_counter() - began < 10


def test_files_have_the_names_under_which_the_server_reads_them() -> None:
    assert file_names("describe", "cobo0") == ("describe-cobo0.xcfg", "describe-cobo0.xml")
    assert (
        file_names("prepare", "experiment")[0]
        == file_names("configure", "experiment")[0]
        == "configure-experiment.xcfg"
    )
    assert file_names("hardware", "Mutant")[0] == "hardwareDescription_Mutant.xcfg"


@pytest.mark.parametrize("name", ["", " x", "../../etc/passwd", "a/b", "a\nb", "x" * 300])
def test_what_is_no_name_is_no_file(name: str) -> None:
    with pytest.raises(LocalProtocolError, match=re.escape("allowed: 1 to 200 characters")):
        file_names("hardware", name)
