"""Names and reasons as a person reads them: what several servers have in common is said once."""

import re
from collections.abc import Iterable

PARTS_SHOWN = 2
RANGE_FROM = 3
NAME = r"[A-Za-z][\w.-]*\d"
LISTED = re.compile(rf"{NAME}(?:, {NAME})+")
BRACKETS = re.compile(r" \([\w.-]+\)\.$")
# Who failed, and then the words of a connection, which begin with the same name.
TWICE = re.compile(r"\b([\w.-]+): (?=\1 \()")
NUMBERED = re.compile(r"(.*?)(\d+)")


def ranges(names: Iterable[str]) -> str:
    """Names in their natural order, three or more in a row as a range: "cobo0 .. cobo9, mutant"."""
    return ", ".join(parts(names))


def grouped(reasons: Iterable[str], *, short: bool = False) -> list[str]:
    """Join reasons "name: text" with the same text: "a0 .. a9, b: text", or short "a0 .. a9, b and 4 more: text"."""
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        name, colon, text = TWICE.sub("", reason).partition(": ")
        if not colon or " " in name:
            name, text = "", reason
        groups.setdefault(compact(text), []).append(name)
    return [_sentence([name for name in names if name], text, short) for text, names in _merged(groups).items()]


def _merged(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is the same but for a name in brackets at the end, together and without it."""
    merged: dict[str, list[str]] = {}
    plain = {text: BRACKETS.sub(".", text) for text in groups}
    for text, names in groups.items():
        often = sum(other == plain[text] for other in plain.values()) > 1
        merged.setdefault(plain[text] if often else text, []).extend(names)
    return merged


def compact(text: str) -> str:
    """A text with the names listed in it as ranges, and none twice in a row: "Waiting for cobo0 .. cobo9"."""
    return LISTED.sub(lambda found: ranges(found[0].split(", ")), TWICE.sub("", text))


def _sentence(names: list[str], text: str, short: bool) -> str:
    said = parts(names)
    if not said:
        return text
    if short and len(said) > PARTS_SHOWN + 1:
        return f"{', '.join(said[:PARTS_SHOWN])} and {len(said) - PARTS_SHOWN} more: {text}"
    return f"{', '.join(said)}: {text}"


def parts(names: Iterable[str]) -> list[str]:
    """The same as a list, one part each that should not be broken."""
    rows: list[list[str]] = []
    for name in _in_natural_order(names):
        if rows and _follows(rows[-1][-1], name):
            rows[-1].append(name)
        else:
            rows.append([name])
    return [part for row in rows for part in ([f"{row[0]} .. {row[-1]}"] if len(row) >= RANGE_FROM else row)]


def _in_natural_order(names: Iterable[str]) -> list[str]:
    """By number within a kind (cobo2 before cobo10); the kinds as they were first mentioned."""
    kinds: dict[str, list[tuple[int, str]]] = {}
    for name in dict.fromkeys(names):
        kind, number = _split(name)
        kinds.setdefault(kind, []).append((number, name))
    return [name for members in kinds.values() for _, name in sorted(members)]


def _follows(first: str, second: str) -> bool:
    (kind, number), (other_kind, other_number) = _split(first), _split(second)
    return kind == other_kind and other_number == number + 1


def _split(name: str) -> tuple[str, int]:
    found = NUMBERED.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, -1)
