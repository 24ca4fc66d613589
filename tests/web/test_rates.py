"""Plots of rates: true to the samples, readable without scripts, cheap, with the same numbers as a table."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.live import samples
from attpcdaq.live.models import RouterSample
from attpcdaq.runlog.models import Run
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import rates, samples_api
from attpcdaq.web.plots import HIGH, Axis, Curve, ceiling, path, plot
from attpcdaq.web.rates_kept import OLDEST, Kept
from attpcdaq.web.rates_recent import RecentPoints
from get_protocol.state_machine import State
from tests.web.page import Page
from tests.web.seen import open_run, person, see

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POINT = re.compile(r"([ML])(-?[\d.]+) (-?[\d.]+)")


def sample(at: datetime, router: int = 0, **more: object) -> RouterSample:
    fields = {
        "router": f"router-cobo{router}", "node": f"node-cobo{router}", "run_id": None, "at": at, "seconds": 2,
        "files": 4, "bytes": 10**9, "rate": 1e7, "event": 5000, "event_rate": 100.0, "disk_free": 10**12, "level": 0,
    }  # fmt: skip
    return RouterSample(**(fields | more))


def taken(run: Run, routers: int = 11, minutes: float = 10.0, *, end: datetime | None = None) -> None:
    """Samples of a run in which each router wrote 10 MB/s, the last one at `end`."""
    end = end or timezone.now()
    times = [end - timedelta(seconds=2 * n) for n in range(int(minutes * 30))]
    samples.write(sample(at, router, run_id=run.pk) for at in times for router in range(routers))


class TestPath:
    def test_it_goes_through_the_values_and_is_broken_where_nothing_was_seen(self) -> None:
        axis = Axis(0, 100, 10)
        drawn = path([(10, 0, 10), (20, 50, 10), (60, 100, 10), (70, 200, 10)], axis, 100)
        assert POINT.findall(drawn) == [
            ("M", "100", "100.0"), ("L", "200", "50.0"), ("M", "600", "0.0"), ("L", "700", "0.0")
        ]  # fmt: skip

    def test_samples_of_a_minute_each_are_one_line(self) -> None:
        drawn = path([(60.0 * n, 1, 60) for n in range(5)], Axis(0, 600, 10), 1)
        assert [kind for kind, _, _ in POINT.findall(drawn)] == ["M", "L", "L", "L", "L"]

    @given(
        st.lists(st.tuples(st.floats(0, 1e10), st.floats(0, 1e15), st.floats(0, 4e4)), max_size=20),
        st.floats(0, 1e10), st.floats(0, 1e6),
    )  # fmt: skip
    def test_whatever_the_values_it_is_a_path_of_numbers(
        self, values: list[tuple[float, float, float]], begin: float, span: float
    ) -> None:
        top = ceiling(max((value for _, value, _ in values), default=0))
        drawn = path(values, Axis(begin, begin + span, 10), top)
        assert re.fullmatch(r"([ML]-?\d+ \d+\.\d(h1)?)*", drawn)
        assert all(0 <= float(y) <= HIGH for _, _, y in POINT.findall(drawn))

    @given(st.floats(allow_nan=True, allow_infinity=True))
    def test_the_end_of_an_axis_is_round_and_not_below(self, highest: float) -> None:
        top = ceiling(highest)
        assert math.isfinite(top) or highest > 1e307
        assert top > 0
        if 1e-6 <= highest < 1e307:
            assert highest <= top <= 2.01 * highest


class TestPlot:
    def test_names_and_words_are_text(self) -> None:
        drawn = plot("<b>&", [Curve([(1, 1, 1)])], Axis(0, 10, 1), lambda value: f"<i>{value}")
        assert isinstance(drawn, SafeString)
        assert "<b>" not in drawn
        assert "<i>" not in drawn
        assert "&lt;b&gt;&amp;" in drawn

    @pytest.mark.parametrize("span", [1, 9, 60, 600, 3000, 40_000, 90_000, 10**6, 10**8])
    def test_times_are_few_round_and_inside(self, span: int) -> None:
        times = Axis(NOON.timestamp() - 1.5, NOON.timestamp() + span, 10).times()
        assert len(times) <= 7
        assert all(0 < percent < 100 for percent, _ in times)
        assert len({words for _, words in times}) == len(times)
        if span >= 30:
            assert times

    def test_nothing_at_all_is_an_empty_frame(self) -> None:
        drawn = plot("x", [], Axis(0, 0, 1), str)
        assert "<path" not in drawn
        assert drawn.startswith("<svg")


@pytest.mark.django_db
class TestRates:
    def test_all_routers_together_and_each_alone(self) -> None:
        run = open_run(started_at=NOON, requested_at=NOON)
        for n in range(1, 31):
            at = NOON + timedelta(seconds=2 * n)
            samples.write([
                sample(at, 0, run_id=run.pk, rate=1e6, event_rate=50.0),
                sample(at, 1, run_id=run.pk, rate=3e6, event_rate=51.0, disk_free=10**11 - n),
            ])  # fmt: skip
        found = rates.of_run(run, NOON + timedelta(seconds=61))
        assert found is not None
        assert (found.now, found.highest, found.events_now) == (4e6, 4e6, 51.0)
        assert found.written == pytest.approx(4e6 * 60)
        assert [(one.name, one.mean, one.written) for one in found.routers] == [
            ("router-cobo0", 1e6, 6e7), ("router-cobo1", 3e6, pytest.approx(18e7))
        ]  # fmt: skip
        assert found.least_free is not None
        assert (found.least_free.node, found.least_free.disk_free) == ("node-cobo1", 10**11 - 30)

    def test_another_run_is_no_part_of_it_and_thinning_changes_no_total(self) -> None:
        run = open_run(started_at=NOON, requested_at=NOON)
        samples.write([sample(NOON + timedelta(seconds=5), run_id=run.pk + 1), sample(NOON)])
        assert rates.of_run(run, NOON) is None

    def test_a_run_of_a_week_has_few_steps(self) -> None:
        run = open_run(started_at=NOON, requested_at=NOON)
        samples.write(
            [sample(NOON + timedelta(minutes=10 * n), run_id=run.pk, seconds=600, level=3) for n in range(1009)]
        )
        found = rates.of_run(run, NOON + timedelta(days=7))
        assert found is not None
        assert found.step == 3600
        assert len(POINT.findall(found.rate)) < 200
        assert [kind for kind, _, _ in POINT.findall(found.rate)].count("M") == 1, "one line"

    @pytest.mark.parametrize("seconds", [0, 1, 59, 361, 10**5, 10**7, 10**9])
    def test_steps(self, seconds: int) -> None:
        step = rates.step_for(seconds)
        assert seconds / step <= 181 or step == 86400

    def test_a_step_in_which_one_router_was_not_seen_is_no_dip_of_the_others(self) -> None:
        times = [NOON + timedelta(seconds=10 * n + 1) for n in range(5)]
        samples.write([sample(at, 0, seconds=10) for at in times] + [sample(at, 1, seconds=10) for at in times[:3]])
        seen = samples.points(RouterSample.objects.all(), 10)
        found = rates.rates(seen, Axis(NOON.timestamp(), NOON.timestamp() + 60, 10))
        assert found is not None
        assert (found.highest, found.now) == (2e7, 1e7)
        assert found.routers[1].now is None, "nobody knows"
        found = rates.rates(seen, Axis(NOON.timestamp(), NOON.timestamp() + 600, 10))
        assert found is not None
        assert (found.now, found.events_now, found.least_free) == (None, None, None), "it was seen too long ago"


@pytest.mark.django_db
class TestPages:
    def test_the_status_shows_the_last_ten_minutes_and_the_numbers(self) -> None:
        detector = build_detector(cobos=2)
        run = open_run()
        see(detector, State.RUNNING)
        taken(run, 2, 2.0)
        page = Page.of(person("shifter", operates=True).get("/").content)
        text = page.id("rates").text()
        for words in ("Rate 20.0 MB/s now", "Events 100 /s now", "Disk free least 1.00 TB", "router-cobo1", "2.4"):
            assert words in text, text
        assert len(page.all("//*[@id='rates']//*[local-name()='path']")) == 3 + 1 + 2, (
            "three plots, two disks, two small"
        )
        assert page.all("//*[@id='rates']//*[@role='img'][not(@aria-label)]") == []

    def test_without_samples_it_says_so(self) -> None:
        page = Page.of(person("shifter", operates=True).get("/").content)
        assert "Nothing was seen of the data routers" in page.id("rates").text()

    def test_a_runs_page_has_its_plots_and_its_panel_can_be_fetched_alone(self) -> None:
        run = open_run()
        client = person("observer", operates=False)
        assert "Nothing was seen" in Page.of(client.get("/runs/of/e20009/7/").content).id("run-rates").text()
        taken(run, 3, 1.0)
        for url in ("/runs/of/e20009/7/", "/runs/of/e20009/7/rates?panels=run-rates"):
            panel = Page.of(client.get(url).content).id("run-rates")
            assert "Rate 30.0 MB/s now" in panel.text()
            assert panel.get("data-topics") == "run router"
        assert client.get("/runs/of/e20009/8/rates").status_code == 404
        assert client.get("/runs/of/e2%000009/7/rates").status_code == 404
        assert Client().get("/runs/of/e20009/7/rates").status_code == 302

    def test_names_from_the_setup_are_text(self) -> None:
        samples.write([sample(timezone.now(), router="<script>x</script>")])
        answer = person("shifter", operates=True).get("/partials/status?panels=rates").content.decode()
        assert "<script>x" not in answer
        assert "&lt;script&gt;x" in answer

    def test_nothing_in_it_needs_what_the_policy_forbids(self) -> None:
        taken(open_run(), 2, 1.0)
        answer = person("shifter", operates=True).get("/partials/status?panels=rates").content.decode()
        assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", answer)

    def test_only_what_came_since_is_asked_for_and_it_is_the_same_as_all_of_it(self) -> None:
        run, now = open_run(), timezone.now()
        taken(run, 3, 9.0, end=now - timedelta(seconds=40))
        kept = RecentPoints(timedelta(minutes=5), 10)
        for n in range(12):
            at = now + timedelta(seconds=7 * n)
            rows = [sample(at, router, rate=1e6 * n, event=n or None, disk_free=None if n == 3 else 10**9 - n)
                    for router in range(2 + n % 2)]  # fmt: skip
            samples.write(rows)
            with CaptureQueriesContext(connection) as queries:
                found = kept.read(at)
            assert len(queries) == 1
            assert found == RecentPoints(timedelta(minutes=5), 10).read(at), "as if read for the first time"
        whole = RouterSample.objects.filter(at__gt=min(point.at for point in found) - timedelta(seconds=10))
        assert found == [point for point in samples.points(whole, 10) if point.at >= found[0].at]


@pytest.mark.django_db
class TestApi:
    def ask(self, query: str) -> tuple[int, dict[str, Any]]:
        answer = person("observer", operates=False).get(f"/api/v1/runs/{query}")
        return answer.status_code, answer.json()

    def test_samples_of_a_run(self) -> None:
        run = open_run()
        end = timezone.now().replace(second=30, microsecond=0)
        taken(run, 2, 2.0, end=end)
        status, answer = self.ask("e20009/7/samples?step=10")
        assert (status, answer["step"]) == (200, 10)
        assert [(one["data_router"], one["node"]) for one in answer["data_routers"]] == [
            ("router-cobo0", "node-cobo0"), ("router-cobo1", "node-cobo1")
        ]  # fmt: skip
        lines = answer["data_routers"][0]["samples"]
        assert sum(line["rate"] * line["seconds"] for line in lines) == pytest.approx(1e7 * 120)
        assert {line["event_rate"] for line in lines} == {100.0}
        assert lines == sorted(lines, key=lambda line: line["at"])

    def test_an_answer_that_would_be_too_long_has_longer_steps(self) -> None:
        run = open_run()
        taken(run, 2, 4.0)
        step, found = samples_api.fitting(rates.of_run_samples(run), 2, most=20)
        assert step in (32, 64)
        assert 4 < len(found) <= 20

    @pytest.mark.parametrize("query", ["e20009/8/samples", "e2/7/samples", "e2%000/7/samples"])
    def test_what_there_is_not(self, query: str) -> None:
        open_run()
        status, answer = self.ask(query)
        assert status == 404
        assert "There is no run" in str(answer)

    @pytest.mark.parametrize("step", ["0", "-1", "x", "86401", "1e3"])
    def test_steps_that_are_none(self, step: str) -> None:
        status, answer = self.ask(f"e20009/7/samples?step={step}")
        assert status == 422
        assert "step" in str(answer)


class TestKept:
    @pytest.fixture
    def kept(self, transactional_db: None) -> tuple[Kept, list[float], list[int]]:
        now, drawn = [0.0], [0]
        return Kept(lambda: now[0]), now, drawn

    def test_it_is_drawn_once_for_all_and_anew_when_something_came(
        self, kept: tuple[Kept, list[float], list[int]]
    ) -> None:
        drawings, now, drawn = kept

        def draw() -> SafeString:
            drawn[0] += 1
            return SafeString(drawn[0])

        assert [drawings.get("a", draw) for _ in range(3)] == ["1"] * 3
        samples.write([sample(NOON)])
        assert drawings.get("a", draw) == "1"
        now[0] += 4.1
        assert drawings.get("a", draw) == "2"
        now[0] += 4.1
        assert drawings.get("a", draw) == "2", "nothing has come"
        now[0] += OLDEST
        assert drawings.get("a", draw) == "3", "but time has passed"
        assert drawings.get("b", draw) == "4"

    def test_it_does_not_grow_without_end(self, kept: tuple[Kept, list[float], list[int]]) -> None:
        drawings, _, _ = kept
        for number in range(100):
            drawings.get(str(number), lambda: SafeString("x"))
        assert len(drawings._drawings) <= 16

    def test_a_drawing_that_fails_keeps_nobody_else_from_it(self, kept: tuple[Kept, list[float], list[int]]) -> None:
        drawings, _, _ = kept

        def fail() -> SafeString:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            drawings.get("a", fail)
        assert drawings.get("a", lambda: SafeString("x")) == "x"
