"""Event numbers as ranges: the same as sets of numbers, at the price of their gaps."""

import random
from itertools import pairwise

import pytest

from attpcdaq.runcontrol.planning import event_ranges as ranges


def numbers(found) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


def some(rng: random.Random) -> list[tuple[int, int]]:
    return [(first, first + rng.randrange(6)) for first in (rng.randrange(60) for _ in range(rng.randrange(8)))]


@pytest.mark.parametrize("seed", range(200))
def test_they_say_what_sets_say(seed: int) -> None:
    rng = random.Random(seed)
    a, b = some(rng), some(rng)
    one, other = ranges.merged(a), ranges.merged(b)
    assert numbers(one) == numbers(a)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(one))
    assert ranges.count(one) == len(numbers(a))
    assert numbers(ranges.without(one, other)) == numbers(a) - numbers(b)
    assert numbers(ranges.within(one, other)) == numbers(a) & numbers(b)
    assert numbers(ranges.shifted(one, 7)) == {number + 7 for number in numbers(a)}


def test_nothing_is_nothing() -> None:
    assert ranges.merged([]) == ranges.span(()) == ranges.without((), [(1, 2)]) == ()
    assert ranges.span(((3, 5), (9, 9))) == ((3, 9),)


def test_a_hundred_thousand_gaps_are_no_matter() -> None:
    even = [(2 * number, 2 * number) for number in range(100_000)]
    assert ranges.count(ranges.without([(0, 199_999)], even)) == 100_000


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (((5, 5),), "5"),
        (((5, 5), (7, 16)), "5, 7 to 16"),
        (((1, 1), (3, 3), (5, 5), (7, 7)), "1, 3, 5 and 1 more range"),
        (((1, 1), (3, 3), (5, 5), (7, 7), (9, 9)), "1, 3, 5 and 2 more ranges"),
    ],
)
def test_in_words(found, text: str) -> None:
    assert ranges.words(found) == text
