"""File names of the data router."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.errors import LocalProtocolError, RemoteProtocolError
from get_protocol.graw import ROLLOVER_BYTES, GrawName, graw_name, parse_graw_name

TIME = datetime(2026, 11, 22, 9, 48, 24, 458000)  # noqa: DTZ001


def test_names_of_the_real_software() -> None:
    assert graw_name(0, 2, TIME, 0) == "CoBo0_AsAd2_2026-11-22T09:48:24.458_0000.graw"
    assert graw_name(11, 3, TIME, 12) == "CoBo11_AsAd3_2026-11-22T09:48:24.458_0012.graw"
    assert graw_name(None, None, TIME, 0) == "MuTanT_2026-11-22T09:48:24.458_0000.graw"
    assert graw_name(100, 1, TIME.replace(tzinfo=UTC), 0) == "MuTanT_2026-11-22T09:48:24.458_0000.graw"
    assert ROLLOVER_BYTES == 1024**3


def test_parts() -> None:
    expected = GrawName("CoBo0", 0, 2, TIME, 1)
    assert parse_graw_name("CoBo0_AsAd2_2026-11-22T09:48:24.458_0001.graw") == expected
    assert parse_graw_name(graw_name(None, None, TIME, 3)) == GrawName("MuTanT", None, None, TIME, 3)


TIMES = st.datetimes(datetime(1000, 1, 1)).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))  # noqa: DTZ001


@given(st.integers(0, 99), st.integers(0, 3), TIMES, st.integers(0, 99999))
def test_name_reads_back(cobo: int, asad: int, time: datetime, index: int) -> None:
    assert parse_graw_name(graw_name(cobo, asad, time, index)) == GrawName(f"CoBo{cobo}", cobo, asad, time, index)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "run.graw",
        "../CoBo0_AsAd2_2026-11-22T09:48:24.458_0000.graw",
        "CoBo0_AsAd2_2026-11-22T09:48:24.458_0000.graw\n",
        "CoBo0_AsAd2_2026-13-22T09:48:24.458_0000.graw",
        "CoBo0_AsAd2_2026-11-22T25:48:24.458_0000.graw",
        "CoBo0_AsAd2_2026-11-22T09:48:24_0000.graw",
        "CoBo_AsAd2_2026-11-22T09:48:24.458_0000.graw",
        "CoBo\u0661_AsAd2_2026-11-22T09:48:24.458_0000.graw",
        "MuTAnT_2026-11-22T09:48:24.458_0000.graw",
        "CoBo0_AsAd2_2026-11-22T09:48:24.458_0000.graw.gz",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(RemoteProtocolError, match="file name"):
        parse_graw_name(name)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_graw_name(text)


@pytest.mark.parametrize(("cobo", "asad", "index"), [(-1, 0, 0), (0, None, 0), (0, -1, 0), (0, 0, -1)])
def test_what_is_no_source_gets_no_name(cobo: int | None, asad: int | None, index: int) -> None:
    with pytest.raises(LocalProtocolError, match="allowed: 0 and up"):
        graw_name(cobo, asad, TIME, index)
