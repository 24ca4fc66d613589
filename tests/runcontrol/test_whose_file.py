"""Whose a file is: proven, or nobody's; a wrong guess is worse than quarantine."""

from dataclasses import replace
from datetime import UTC, datetime
from time import process_time

from attpcdaq.runcontrol.planning.whose_facts import (
    LATE,
    TICKS,
    Clock,
    Filed,
    Frames,
    Needs,
    Owner,
    Place,
    RunSpan,
    Staged,
    Unknown,
)
from attpcdaq.runcontrol.planning.whose_file import judge
from get_protocol.graw_names import graw_name

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
RIGHT = Clock(0.0, 0.01, 0)


def name(at: float, index: int = 0, asad: int = 0) -> str:
    return graw_name(0, asad, datetime.fromtimestamp(NOON + at, UTC), index)


def staged(at: float, modified: float, frames: Frames | None = None, index: int = 0) -> Staged:
    return Staged(name(at, index), 1000, NOON + modified, frames)


def seen(first: int, last: int, since: float, until: float, **more: int) -> Frames:
    """Frames from event `first` to `last`, taken at these seconds of the board's clock."""
    return Frames(first, round(since * TICKS), last, round(until * TICKS), whole=True, **more)


def span(number: int, begin: float, end: float, *files: Filed, **more: object) -> RunSpan:
    told = NOON + begin
    run = RunSpan(number, f"run {number}", told - 1, told, NOON + end, files=files)
    return replace(run, **more)


def filed(at: float, frames: Frames | None = None) -> Filed:
    return Filed(name(at), f"/staging/e/run/{name(at)}", frames)


def whose(file: Staged, *runs: RunSpan, beside: tuple[Staged, ...] = (), **more: object) -> object:
    place = Place(runs, **{"clock": RIGHT, **more})
    return judge([file, *beside], place)[file.name]


def owner(verdict: object) -> int:
    assert isinstance(verdict, Owner), verdict
    return verdict.run


FIRST = span(1, 0, 10, filed(0.5, seen(0, 99, 0.5, 9.9)))
SECOND = span(2, 20, 30)


def test_where_only_one_run_is_possible_nothing_is_read() -> None:
    assert owner(whose(staged(500.5, 510), FIRST, span(2, 500, 510))) == 2


def test_a_name_that_came_again_belongs_to_its_run_if_the_numbers_go_on() -> None:
    late = staged(0.5, 15, seen(100, 104, 9.9, 10.0))
    assert owner(whose(late, FIRST)) == 1
    assert isinstance(whose(replace(late, frames=seen(99, 104, 9.9, 10.0)), FIRST), Unknown)
    assert whose(replace(late, frames=None), FIRST) == Needs(heads=frozenset({late.name}))


def test_what_boards_took_after_the_last_run_is_no_run_s() -> None:
    loose = {"ran_until": NOON + 40}
    assert isinstance(whose(staged(30, 39), FIRST, **loose), Unknown)
    assert isinstance(whose(staged(0.5, 39, seen(100, 140, 30, 39)), FIRST, **loose), Unknown)  # appended to its name
    assert owner(whose(staged(9, 10), FIRST, **loose)) == 1  # begun while the run still went on
    assert isinstance(whose(staged(9, 10), FIRST, clock=None, **loose), Unknown)
    assert owner(whose(staged(30, 39), FIRST, ran_until=NOON + 10)) == 1


def test_what_came_before_the_first_event_of_the_next_run_is_the_earlier_one_s() -> None:
    late, begun = staged(0.5, 20.5, seen(100, 104, 9.9, 10.0)), staged(21.0, 30, seen(0, 80, 0.5, 9.0))
    assert owner(whose(late, FIRST, SECOND, beside=(begun,))) == 1
    assert owner(whose(begun, FIRST, SECOND, beside=(late,))) == 2


def test_rolled_files_belong_with_what_they_follow() -> None:
    begun, rolled = staged(21.0, 25, seen(0, 80, 0.5, 4.0)), staged(21.0, 30, index=1)
    assert owner(whose(rolled, FIRST, SECOND, beside=(begun,))) == 2


def test_appended_under_the_old_name_the_board_s_clock_tells() -> None:
    """External time reset: numbers and time go on over several runs."""
    assert owner(whose(staged(0.5, 30, seen(100, 180, 21.0, 29.0)), FIRST, SECOND)) == 2
    assert owner(whose(staged(0.5, 30, seen(100, 110, 9.95, 10.0)), FIRST, SECOND)) == 1
    assert isinstance(whose(staged(0.5, 30, seen(100, 180, 9.95, 29.0)), FIRST, SECOND), Unknown)


def test_a_board_s_clock_tells_nothing_over_a_setting_up() -> None:
    file = staged(0.5, 30, seen(100, 180, 21.0, 29.0))
    assert isinstance(whose(file, FIRST, SECOND, set_up=NOON + 15), Unknown)


def test_a_clock_that_went_back_within_the_file_mixes_runs() -> None:
    mixed = staged(0.5, 30, seen(100, 180, 0.1, 9.0, times_back=1))
    assert isinstance(whose(mixed, FIRST, SECOND), Unknown)


def test_a_beginning_may_be_that_of_a_run_which_has_no_file() -> None:
    """All frames of run 1 waited in the connection and came during run 2."""
    empty = replace(FIRST, files=())
    first, second = staged(21.0, 21.5, seen(0, 80, 0.5, 9.0)), staged(22.0, 30, seen(0, 70, 0.5, 8.0))
    assert owner(whose(first, empty, SECOND, beside=(second,))) == 1
    assert owner(whose(second, empty, SECOND, beside=(first,))) == 2
    assert isinstance(whose(first, empty, SECOND), Unknown)


def test_longer_than_the_run_before_it_is_the_next_one_s_unless_mixed() -> None:
    empty, longer = span(1, 0, 5), span(2, 20, 40)
    assert owner(whose(staged(21.0, 40, seen(0, 180, 0.5, 19.0, largest_step=TICKS)), empty, longer)) == 2
    mixed = staged(21.0, 40, seen(0, 180, 0.5, 39.0, largest_step=16 * TICKS))
    assert isinstance(whose(mixed, empty, longer), Unknown)


def test_a_new_name_in_mid_count_is_nobody_s() -> None:
    assert isinstance(whose(staged(22.0, 30, seen(50, 80, 5.0, 8.0)), FIRST, SECOND), Unknown)


def test_what_no_router_made_or_no_run_wrote() -> None:
    for odd in ("notes.graw", name(0.5).replace(".graw", "_late1.graw")):
        assert isinstance(whose(Staged(odd, 1, NOON + 5), FIRST), Unknown)
    assert isinstance(whose(staged(-86400, -86400), FIRST), Unknown)
    assert isinstance(whose(staged(0.5, 5)), Unknown)


def test_the_node_s_clock_and_time_zone_count() -> None:
    ahead = Clock(3600.0 * 24, 0.01, 330)
    there = staged(86400 + 330 * 60 + 1, 86400 + 5)
    assert owner(whose(there, span(1, 0, 10), clock=ahead)) == 1
    assert isinstance(whose(there, span(1, 0, 10)), Unknown)


def test_a_clock_that_jumped_rules_nothing_out_and_orders_nothing() -> None:
    odd = staged(-36000, -36000)
    assert isinstance(whose(staged(-86400, 5), FIRST, stepped=NOON + 5), Unknown)  # no clock was wrong by a day
    assert owner(whose(odd, FIRST, stepped=NOON + 5)) == 1
    begun, late = staged(21.0, 30, seen(0, 80, 0.5, 9.0)), staged(5.0, 8.0, seen(90, 99, 9.0, 9.5))
    assert isinstance(whose(late, FIRST, SECOND, beside=(begun,), stepped=NOON + 25), Unknown)


def test_frames_come_late_at_the_most_so_long() -> None:
    again = staged(0.5, LATE + 50, seen(100, 180, 21.0, 29.0))
    assert owner(whose(again, FIRST, span(2, LATE + 20, LATE + 60))) == 2


def test_a_run_without_any_event_rules_nothing_out() -> None:
    """Started, no trigger, stopped, started again: the night's data were quarantined if their first file was short."""
    nothing, file = replace(FIRST, files=(), took_nothing=True), staged(21.0, 30, seen(0, 70, 0.5, 8.0))
    assert owner(whose(file, nothing, SECOND)) == 2
    read = replace(file, frames=Frames(0, TICKS))
    assert owner(whose(read, nothing, SECOND)) == 2  # by its beginning alone
    held = staged(20.5, 21, seen(0, 60, 0.5, 7.0))
    assert owner(whose(held, nothing, SECOND, beside=(file,))) == 1  # its frames came after all


def test_a_file_that_goes_on_from_an_appended_one_is_of_the_same_run() -> None:
    rolled = staged(0.9, 40, index=1)
    appended = staged(0.5, 35, seen(100, 180, 21.0, 29.0))
    assert owner(whose(rolled, FIRST, SECOND, beside=(appended,))) == 2
    late = staged(0.5, 35, seen(100, 110, 9.95, 10.0))
    assert isinstance(whose(rolled, FIRST, SECOND, beside=(late,)), Unknown)
    assert whose(rolled, FIRST, SECOND, beside=(replace(late, frames=None),)) == Needs(scans=frozenset({late.name}))


def test_a_file_without_a_byte_needs_no_proof() -> None:
    assert owner(whose(replace(staged(22.0, 30, index=1), size=0), FIRST, SECOND)) == 2


def test_a_thousand_files_of_a_source_take_no_longer_than_reading_them() -> None:
    """It was worked out anew for each of them what the next run begins with: minutes for a detector."""
    moved = tuple(filed(0.5 + number / 200) for number in range(1000))
    begun = staged(21.0, 30, seen(0, 80, 0.5, 9.0))
    rolled = [staged(21.0 + number / 100, 30, index=number) for number in range(1, 1000)]
    place = Place((replace(FIRST, files=moved), SECOND), RIGHT)
    since = process_time()
    verdicts = judge([begun, *rolled], place)
    assert process_time() - since < 1
    assert {owner(verdict) for verdict in verdicts.values()} == {2}
