"""What is new in the end of a log, although the file may be another one by now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.live.log_cursor import MOST_LINES, BadCursor, Cursor, News, news, parse

MOST = 1000


def look(content: bytes, seen: Cursor | None = None, most: int = MOST) -> News:
    """As the monitor reads it, and whoever looks gives the cursor back in words."""
    found = news(content[-most:], len(content), 1.7e9, seen)
    assert parse(str(found.cursor)) == found.cursor
    return found


def said(found: News) -> list[str]:
    return [line.text for line in found.lines]


def test_first_the_whole_end_then_what_is_new() -> None:
    first = look(b"one\ntwo\nthr")
    assert said(first) == ["one", "two", "thr"]
    assert not first.is_anew
    then = look(b"one\ntwo\nthree\nfour\n", first.cursor)
    assert said(then) == ["three", "four"]
    assert (then.begin, then.missed, then.is_anew) == (8, 0, False)
    assert said(look(b"one\ntwo\nthree\nfour\n", then.cursor)) == []


def test_an_empty_file_that_begins_to_grow() -> None:
    assert said(look(b"", look(b"").cursor)) == []
    assert said(look(b"one\n", look(b"").cursor)) == ["one"]


def test_what_was_missed_is_counted() -> None:
    before = look(b"one\n")
    after = look(b"one\n" + b"x" * 1999 + b"\nlast\n", before.cursor)
    assert after.missed == 2009 - 1000 - 4
    assert not after.lines[0].has_head
    assert said(after)[-1] == "last"
    assert after.begin == 4


@pytest.mark.parametrize("content", [b"", b"new\n", b"ONE\ntwo\nthree\nfour\nfive\n"])
def test_another_file_is_told_from_the_same(content: bytes) -> None:
    before = look(b"one\ntwo\nthree\n")
    after = look(content, before.cursor)
    assert after.is_anew
    assert after.begin == 0
    assert b"\n".join(line.encode() for line in said(after)) == content.rstrip(b"\n")


def test_an_endless_line_is_shown_anew_and_nothing_is_said_to_be_missed() -> None:
    first = look(b"x" * 5000)
    assert [line.has_head for line in first.lines] == [False]
    second = look(b"x" * 7000, first.cursor)
    assert (second.missed, second.is_anew, len(second.lines)) == (0, False, 1)
    assert second.begin <= first.lines[0].at
    third = look(b"x" * 7000 + b"\nnext\n", second.cursor)
    assert said(third)[-1] == "next"


def test_too_many_lines_are_counted() -> None:
    found = look(b"\n" * 5000, most=5000)
    assert (len(found.lines), found.left_out) == (MOST_LINES, 3000)


def test_what_is_no_cursor() -> None:
    assert parse("") is None
    for text in ("x", "1-2-3", "-1-0-0-0-0", "1-2-zz-3-4", "1-2-3-4-5\n", f"{10**18}-0-0-0-0"):
        with pytest.raises(BadCursor, match="is no cursor"):
            parse(text)


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(10, 200))
def test_whoever_follows_a_growing_file_sees_what_is_in_it(pieces: list[bytes], most: int) -> None:
    content, seen = b"", None
    shown: dict[int, str] = {}
    missed = 0
    for piece in pieces:
        content += piece
        found = look(content, seen, most)
        assert not found.is_anew
        shown = {at: text for at, text in shown.items() if at < found.begin} | {
            line.at: line.text for line in found.lines
        }
        seen, missed = found.cursor, missed + found.missed
    if len(content) <= most:
        assert missed == 0
        assert list(shown.values()) == said(look(content))
