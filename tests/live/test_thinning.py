"""Samples grow fewer with age; what they add up to stays, and every step is small."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attpcdaq.live import samples, thinning
from attpcdaq.live.models import RouterSample
from attpcdaq.live.thinning import LEVELS, merged

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def sample(seconds: float, rate: float = 100.0, *, router: str = "router-cobo0", run: int | None = 1, level: int = 0,
           width: int = 2, event_rate: float = 5.0) -> RouterSample:  # fmt: skip
    return RouterSample(
        router=router, node=f"node-{router}", run_id=run, at=NOON + timedelta(seconds=seconds), seconds=width, files=1,
        bytes=max(int(seconds), 0), rate=rate, event=max(int(seconds), 0), event_rate=event_rate, disk_free=10**9,
        level=level,
    )  # fmt: skip


def volume(rows: Sequence[RouterSample]) -> float:
    """Bytes that the samples add up to."""
    return sum(row.rate * row.seconds for row in rows)


def tidied(now: datetime) -> int:
    """Steps until there was nothing more to do."""
    steps = 0
    while thinning.tidy(now):
        steps += 1
        assert steps < 10_000
    return steps


@pytest.mark.django_db
class TestTidy:
    def test_the_young_stay_as_they_are(self) -> None:
        samples.write([sample(-n) for n in range(0, 890, 2)])
        assert not thinning.tidy(NOON)
        assert RouterSample.objects.count() == 445

    def test_each_age_has_its_width_and_what_they_add_up_to_stays(self) -> None:
        rows = [sample(-2.0 * n, rate=n % 7, router=f"router-{n % 2}", run=1 + n // 9000) for n in range(5 * 1800)]
        samples.write(rows)
        steps = tidied(NOON)
        left = list(RouterSample.objects.all())
        assert volume(left) == pytest.approx(volume(rows))
        assert sum(row.seconds for row in left) == 2 * len(rows)
        for row in left:
            age = (NOON - row.at).total_seconds()
            if age < 900:
                assert (row.level, row.seconds) == (0, 2)
            elif 910 < age < 10800:
                # Each router has every other sample of 2 s.
                assert (row.level, row.seconds) in ((1, 4), (1, 6)), age
            elif 10860 < age < 17900:
                assert (row.level, row.seconds) == (2, 30), age
        # Young ones 450, two routers' one each 10 s for 3 h less a quarter, and one each minute for 2 h more.
        assert len(left) == pytest.approx(450 + 2 * 990 + 2 * 120, abs=8)
        assert steps > 100, "in small steps"

    def test_a_step_is_small(self) -> None:
        samples.write([sample(-2.0 * n) for n in range(9000)])
        assert thinning.tidy(NOON)
        assert RouterSample.objects.count() > 9000 - 6 * 5 - 6 * 30

    def test_thinning_again_changes_nothing(self) -> None:
        samples.write([sample(-2.0 * n) for n in range(1000)])
        tidied(NOON)
        before = list(RouterSample.objects.values_list("pk", "rate", "seconds"))
        assert tidied(NOON) == 0
        assert list(RouterSample.objects.values_list("pk", "rate", "seconds")) == before

    def test_a_run_is_never_mixed_with_the_next_nor_with_none(self) -> None:
        rows = [sample(-7200 + n, run=run, rate=rate) for n, run, rate in ((0, 1, 10.0), (2, None, 0.0), (4, 2, 30.0))]
        samples.write(rows)
        tidied(NOON)
        assert sorted(RouterSample.objects.values_list("run_id", "rate"), key=str) == [
            (1, 10.0),
            (2, 30.0),
            (None, 0.0),
        ]

    def test_samples_of_runs_are_kept_for_good_and_those_of_none_for_a_month(self) -> None:
        day = 86400.0
        samples.write([sample(-400 * day), sample(-40 * day, run=None, level=2, width=60), sample(-5 * day, run=None)])
        tidied(NOON)
        left = RouterSample.objects.order_by("at").values_list("run_id", "level")
        assert list(left) == [(1, 3), (None, 3)]

    def test_a_gap_of_weeks_costs_no_steps(self) -> None:
        samples.write([sample(-60 * 86400.0), sample(-1.0)])
        assert tidied(NOON) <= 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3000), st.floats(0, 1e9), st.sampled_from(["a", "b"]), st.sampled_from([None, 1, 2]),
            st.integers(1, 40000).map(lambda n: min(n, 32767)),
        ),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_merging_keeps_the_bytes_of_each_router_and_run(rows: list[tuple[int, float, str, int | None, int]]) -> None:
    given_rows = [sample(s, rate, router=router, run=run, width=width) for s, rate, router, run, width in rows]
    for level in LEVELS:
        out = merged(given_rows, level)
        for key in {(row.router, row.run_id) for row in given_rows}:
            mine = [row for row in given_rows if (row.router, row.run_id) == key]
            theirs = [row for row in out if (row.router, row.run_id) == key]
            if all(row.seconds < samples.MOST_SECONDS for row in theirs):
                assert volume(theirs) == pytest.approx(volume(mine), rel=1e-9, abs=1e-6)
            assert max(row.at for row in theirs) == max(row.at for row in mine)
            assert all(row.level == level.number + 1 for row in theirs)


@pytest.mark.django_db
class TestPoints:
    def test_rates_are_averages_by_time_and_disks_the_least(self) -> None:
        rows = [sample(1, rate=100.0, width=2), sample(9, rate=10.0, width=8), sample(11, rate=7.0, width=2)]
        rows[0].disk_free = 5
        samples.write(rows)
        first, second = samples.points(RouterSample.objects.all(), 10)
        assert (first.rate, first.seconds, first.disk_free) == (pytest.approx(28.0), 10, 5)
        assert (first.at, second.at) == (NOON + timedelta(seconds=10), NOON + timedelta(seconds=20))
        assert second.rate == 7.0

    def test_routers_and_nodes_are_apart_and_in_order(self) -> None:
        samples.write([sample(1, router="b"), sample(1, router="a"), sample(21, router="a")])
        assert [(one.router, one.at.second) for one in samples.points(RouterSample.objects.all(), 10)] == [
            ("a", 10),
            ("a", 30),
            ("b", 10),
        ]

    def test_a_disk_that_nobody_knows(self) -> None:
        row = sample(1)
        row.disk_free = row.event = None
        samples.write([row])
        (point,) = samples.points(RouterSample.objects.all(), 10)
        assert (point.disk_free, point.event) == (None, None)
