"""Bytes of a log as lines that can be shown, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.live.log_text import HEAD, TAIL, Line, decoded, end_of_lines, level_of, line_of, pieces_of, shown


def lines_of(data: bytes, begin: int, *, has_head: bool) -> list[Line]:
    return [line_of(piece) for piece in pieces_of(data, begin, has_head=has_head)]


def texts(data: bytes, begin: int = 0, *, has_head: bool = True) -> list[str]:
    return [line.text for line in lines_of(data, begin, has_head=has_head)]


def test_lines_know_where_they_begin() -> None:
    found = lines_of(b"one\ntwo\r\n\nlast", 100, has_head=True)
    assert [(line.at, line.text) for line in found] == [(100, "one"), (104, "two"), (109, ""), (110, "last")]
    assert end_of_lines(b"one\ntwo\r\n\nlast", 100) == 110
    assert lines_of(b"", 7, has_head=False) == []


def test_each_line_has_an_encoding_of_its_own() -> None:
    data = "Prüfsumme µ\n".encode() + "Prüfsumme µ\n".encode("latin-1") + "日本\n".encode()
    assert texts(data) == ["Prüfsumme µ", "Prüfsumme µ", "日本"]


def test_half_a_character_is_not_shown() -> None:
    euro = "€".encode()
    assert texts(b"costs " + euro[:2]) == ["costs "]
    assert texts(b"costs " + euro[:2] + b"\n") == ["costs â\N{REPLACEMENT CHARACTER}"]
    (line,) = lines_of(euro[1:] + b" more\n", 50, has_head=False)
    assert (line.at, line.text, line.has_head) == (52, " more", False)


def test_escape_codes_are_taken_out_and_the_rest_can_be_seen() -> None:
    assert shown("\x1b[1;31mERROR\x1b[0m \x1b]0;title\x07x\x1b(By") == "ERROR xy"
    assert shown("a\0b\x07c\x7fd\te") == "a^@b^Gc^?d\te"
    assert shown("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{NO-BREAK SPACE}c") == "a\N{REPLACEMENT CHARACTER}b c"


def test_half_an_escape_code_hides_nothing() -> None:
    assert shown("\x1b]0;the rest of this line") == "^[]0;the rest of this line"
    assert shown("\x1b[31") == "^[[31"


def test_what_is_written_over_itself_is_told_once() -> None:
    data = b" Waiting for client connection ...\r" * 500 + b"Connection established\n"
    found = lines_of(data, 0, has_head=True)
    assert [(line.text, line.times) for line in found] == [
        (" Waiting for client connection ...", 500),
        ("Connection established", 1),
    ]
    assert found[1].at == data.index(b"Connection")
    assert [line.text for line in lines_of(b"10 %\r50 %\r100 %\r", 0, has_head=True)] == ["10 %", "50 %", "100 %"]


def test_a_line_of_a_megabyte_is_cut_where_it_can_be_seen() -> None:
    (line,) = lines_of(b"<" + b"x" * 1_000_000 + b"> error\n", 0, has_head=True)
    assert len(line.text) == HEAD + TAIL + 3
    assert line.text.startswith("<xxx")
    assert line.text.endswith("xxx> error")
    assert line.left_out == 1_000_009 - 1 - HEAD - TAIL
    assert line.level == "error"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("(03:12:44 - 23/11/2026) ERROR - Could not configure CoBo[3]", "error"),
        ("(03:12:44 - 23/11/2026) FATAL - out", "error"),
        ("(03:12:44 - 23/11/2026) WARN - connection refused", "warning"),
        ("(03:12:44 - 23/11/2026) INFO - register errorMask written, failed = no", ""),
        ("(03:12:44 - 23/11/2026) DEBUG - exception handlers installed", ""),
        ("** Disk is full", "error"),
        ("## terminating", "error"),
        ("!! late frame", "warning"),
        ("-- 3 errors so far", ""),
        ("== Connection established", ""),
        ("terminate called: Ice::SocketException", "error"),
        ("std::runtime_error: Error while reading", "error"),
        ("mkdir: cannot create directory: No space left on device", "error"),
        ("Segmentation fault (core dumped)", "error"),
        ("0 errors, 0 warnings", ""),
        ("error = 0", ""),
        ("no error", ""),
        ("2 errors", "error"),
        ("retrying in 5 s: timed out", "warning"),
        ("mirrored terrors", ""),
        ("everything is fine", ""),
        ("", ""),
    ],
)
def test_a_line_tells_how_bad_it_is(text: str, level: str) -> None:
    assert level_of(text) == level


@given(st.binary(max_size=400), st.integers(0, 1 << 40), st.booleans())
def test_any_bytes_are_lines_that_can_be_shown(data: bytes, begin: int, has_head: bool) -> None:
    found = lines_of(data, begin, has_head=has_head)
    assert [line.at for line in found] == sorted({line.at for line in found})
    for line in found:
        assert begin <= line.at <= begin + len(data)
        assert line.text.replace("\t", "").isprintable()
    assert begin <= end_of_lines(data, begin) <= begin + len(data)


@given(st.text(max_size=200))
def test_a_text_in_utf_8_stays_as_it_is(text: str) -> None:
    assert decoded(text.encode()) == text
