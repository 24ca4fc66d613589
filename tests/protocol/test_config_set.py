"""Config sets: what is read, what is written and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.config_set import ConfigId, encode_config_id_set, parse_config_id, parse_config_id_set
from get_protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError

CHARACTERS = st.characters(categories=["L", "N", "P", "S"], exclude_characters="/")
NAMES = st.text(CHARACTERS | st.sampled_from("<>&\"'"), min_size=1, max_size=30)
CONFIG_IDS = st.builds(ConfigId, NAMES, NAMES, NAMES)
SUB = '<SubConfigId type="{}">{}</SubConfigId>'


def config_id_xml(*subs: tuple[str, str]) -> str:
    return f"<ConfigId>{''.join(SUB.format(*sub) for sub in subs)}</ConfigId>"


def test_written_on_one_line() -> None:
    expected = config_id_xml(("describe", "cobo0"), ("prepare", "a&amp;b"), ("configure", "c"))
    assert ConfigId("cobo0", "a&b", "c").to_xml() == expected


@given(CONFIG_IDS)
def test_reads_back(config_id: ConfigId) -> None:
    assert parse_config_id(config_id.to_xml()) == config_id


@given(st.lists(CONFIG_IDS, max_size=4))
def test_set_reads_back(config_ids: list[ConfigId]) -> None:
    assert parse_config_id_set(encode_config_id_set(config_ids)) == tuple(config_ids)


def test_white_space_and_namespaces_do_not_matter() -> None:
    text = '<e:ConfigId xmlns:e="urn:ecc">\n <e:SubConfigId type="prepare"> p\n</e:SubConfigId>'
    text += SUB.format("configure", "c") + SUB.format("describe", "d") + "</e:ConfigId>"
    assert parse_config_id(text) == ConfigId("d", "p", "c")


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", ["", " ", "a ", "a\u00a0", " a", "a/b", "../x", "a\nb", "a\x00", "\x7f", 201 * "x"])
def test_a_name_that_does_harm_is_refused(place: int, name: str) -> None:
    names = ["d", "p", "c"]
    names[place] = name
    with pytest.raises(LocalProtocolError, match=["describe", "prepare", "configure"][place]):
        ConfigId(*names)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (config_id_xml(("describe", "d"), ("prepare", "p")), "without a name for configure"),
        (config_id_xml(("describe", ""), ("prepare", " "), ("configure", "c")), "for describe, prepare"),
        (config_id_xml(("Describe", "d"), ("prepare", "p"), ("configure", "c")), "type 'Describe'; allowed"),
        (config_id_xml(("describe", "d"), ("describe", "d")), "once each"),
        (config_id_xml(("describe", "a/b"), ("prepare", "p"), ("configure", "c")), "describe is 'a/b'"),
        ("<ConfigId><SubConfigId>d</SubConfigId></ConfigId>", "type ''; allowed"),
        ("<ConfigID/>", "expected <ConfigId>, got <ConfigID>"),
        ("", "not well-formed"),
    ],
)
def test_strict_reading(text: str, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason.replace("(", r"\(")):
        parse_config_id(text)


def test_strict_reading_of_sets() -> None:
    assert parse_config_id_set("<ConfigIdSet/>") == ()
    with pytest.raises(RemoteProtocolError, match="expected <ConfigIdSet>, got <ConfigId>"):
        parse_config_id_set("<ConfigId/>")
    with pytest.raises(RemoteProtocolError, match="without a name"):
        parse_config_id_set("<ConfigIdSet><ConfigId/></ConfigIdSet>")


@given(st.text(st.sampled_from('<>/"=ConfigIdSubypetrs ')))
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_config_id(text)
