"""Sets of event numbers as ranges (first, last), so that a million of them cost what their gaps cost."""

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same numbers as ascending ranges with a gap between each two."""
    out: list[Range] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def count(ranges: Iterable[Range]) -> int:
    """How many numbers they hold, one held twice counting twice."""
    return sum(last - first + 1 for first, last in ranges)


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> tuple[Range, ...]:
    """What is in `ranges` and not in `taken`; both as `merged` gives them."""
    return tuple(_without(ranges, list(taken)))


def _without(ranges: Iterable[Range], taken: list[Range]) -> Iterator[Range]:
    here = 0
    for first, last in ranges:
        while here < len(taken) and taken[here][1] < first:
            here += 1
        at, begin = here, first
        while at < len(taken) and taken[at][0] <= last:
            took_first, took_last = taken[at]
            if took_first > begin:
                yield begin, took_first - 1
            begin = took_last + 1
            at += 1
        if begin <= last:
            yield begin, last


def within(ranges: Iterable[Range], limits: tuple[Range, ...]) -> tuple[Range, ...]:
    """What is in `ranges` and in `limits` too; both as `merged` gives them."""
    ranges = tuple(ranges)
    return without(ranges, without(ranges, limits))


def span(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """One range from the first number to the last; nothing of nothing."""
    return ((ranges[0][0], ranges[-1][1]),) if ranges else ()


def shifted(ranges: Iterable[Range], by: int) -> tuple[Range, ...]:
    """Every number moved by as much."""
    return tuple((first + by, last + by) for first, last in ranges)


def named(ranges: tuple[Range, ...]) -> str:
    """ "event 5", or "events 5, 7 to 16 (11 in all)"."""
    number = count(ranges)
    return f"event {words(ranges)}" if number == 1 else f"events {words(ranges)} ({number} in all)"


def words(ranges: tuple[Range, ...], most: int = 3) -> str:
    """Ranges as a person reads them: "5, 7 to 16 and 4 more ranges"."""
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:most]]
    left = len(ranges) - most
    return ", ".join(shown) + (f" and {left} more range{'s' if left > 1 else ''}" if left > 0 else "")
