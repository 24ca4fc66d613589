"""Reasons as a person reads them: what several servers have in common is said once."""

from collections.abc import Iterable, Sequence

NAMES_SHOWN = 2


def grouped(reasons: Iterable[str], *, short: bool = False) -> list[str]:
    """Join reasons "name: text" with the same text: "a, b, c: text", or short "a, b and 9 more: text"."""
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        name, colon, text = reason.partition(": ")
        if not colon or " " in name:
            name, text = "", reason
        groups.setdefault(text, []).append(name)
    return [_sentence([name for name in names if name], text, short) for text, names in groups.items()]


def _sentence(names: Sequence[str], text: str, short: bool) -> str:
    if not names:
        return text
    if short and len(names) > NAMES_SHOWN + 1:
        return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more: {text}"
    return f"{', '.join(names)}: {text}"
