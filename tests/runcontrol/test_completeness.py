"""The verdict on a run's data: real frames in files, scanned as they are on a node, and what is said of them."""

from collections.abc import Iterable, Sequence

import pytest

from attpcdaq.runcontrol.planning.completeness import Board, CheckedFile, Finding, Level, RunFacts, in_sentences
from attpcdaq.runcontrol.planning.completeness_checks import judge
from tests.runcontrol.frames import data_file, frames, mutant_file

EVENTS = range(100)


def boards(cobos: int = 2, *, mutant: bool = True, **more) -> tuple[Board, ...]:
    found = [Board(f"CoBo[{n}]", f"router-cobo{n}", cobo=n, **more) for n in range(cobos)]
    return (*found, Board("Mutant[master]", "router-mutant", mutant=True)) if mutant else tuple(found)


def run_of(files: Iterable[CheckedFile], facts: RunFacts | None = None):
    return judge(list(files), facts or RunFacts(boards(), seconds=60.0))


def whole(events: Sequence[int] = EVENTS, cobos: int = 2, asads: int = 2) -> list[CheckedFile]:
    found = [data_file(cobo, asad, events) for cobo in range(cobos) for asad in range(asads)]
    return [*found, mutant_file(events)]


def replaced(files: Sequence[CheckedFile], cobo: int, asad: int, *others: CheckedFile) -> list[CheckedFile]:
    return [file for file in files if not file.name.startswith(f"CoBo{cobo}_AsAd{asad}_")] + list(others)


def texts(judgement) -> list[str]:
    return [reason.text for reason in judgement.reasons]


class TestComplete:
    def test_nothing_is_said_of_a_run_that_is_whole(self) -> None:
        judgement = run_of(whole())
        assert (judgement.verdict, judgement.reasons) == ("complete", ())
        assert [source.name for source in judgement.sources] == [
            "CoBo0_AsAd0",
            "CoBo0_AsAd1",
            "CoBo1_AsAd0",
            "CoBo1_AsAd1",
            "MuTanT",
        ]

    def test_rolled_files_are_one_source(self) -> None:
        parts = [data_file(0, 0, range(60)), data_file(0, 0, range(60, 100), index=1), data_file(0, 0, (), index=2)]
        judgement = run_of(replaced(whole(), 0, 0, *parts))
        assert judgement.verdict == "complete"
        row = judgement.sources[0].row(20)
        assert (row["files"], row["frames"], row["events"], row["first_event"], row["last_event"]) == (
            2,
            100,
            100,
            0,
            99,
        )

    def test_numbers_that_go_on_from_the_run_before_are_as_good(self) -> None:
        assert run_of(whole(range(5000, 5100))).verdict == "complete"

    def test_cobos_without_a_mutant_count_each_for_itself(self) -> None:
        files = [data_file(cobo, asad, range(90 + 10 * cobo)) for cobo in range(2) for asad in range(2)]
        facts = RunFacts(boards(mutant=False), synchronous=False, seconds=60.0)
        assert run_of(files, facts).verdict == "complete"

    def test_an_asad_of_a_free_cobo_is_compared_with_its_own_cobo(self) -> None:
        files = [data_file(0, 0, EVENTS), data_file(0, 1, [n for n in EVENTS if n != 7]), data_file(1, 0, range(40))]
        facts = RunFacts(boards(mutant=False), synchronous=False, seconds=60.0)
        assert "CoBo0_AsAd1: without event 7, which others have" in texts(run_of(files, facts))


class TestFiles:
    def test_a_truncated_tail(self) -> None:
        file = data_file(0, 0, EVENTS, tail=frames(0, 0, [100])[:50])
        judgement = run_of(replaced(whole(), 0, 0, file))
        assert judgement.verdict == "incomplete"
        assert judgement.reasons[0].text.startswith(f"{file.name}: truncated at byte ")

    def test_garbage_in_the_tail(self) -> None:
        file = data_file(0, 0, EVENTS, tail=b"\xde\xad\xbe\xef" * 20)
        judgement = run_of(replaced(whole(), 0, 0, file))
        assert judgement.verdict == "incomplete"
        assert judgement.reasons[0].text.startswith(f"{file.name}: garbage at byte ")

    def test_a_size_that_has_changed(self) -> None:
        file = data_file(0, 0, EVENTS, size=1)
        judgement = run_of(replaced(whole(), 0, 0, file))
        assert judgement.verdict == "incomplete"
        assert "bytes and had 1 when it was put there" in judgement.reasons[0].text

    def test_a_file_that_is_gone(self) -> None:
        gone = CheckedFile("node-cobo0", "router-cobo0", "CoBo0_AsAd0_x.graw", 100, problem="no such file", gone=True)
        judgement = run_of(replaced(whole(), 0, 0, gone))
        assert judgement.verdict == "incomplete"
        assert "node-cobo0: CoBo0_AsAd0_x.graw: is not where it was put" in texts(judgement)

    def test_files_that_nobody_could_read_prove_nothing_and_are_no_missing_board(self) -> None:
        away = [
            CheckedFile("node-cobo0", "router-cobo0", f"{n}.graw", 100, problem="no route to host") for n in range(7)
        ]
        files = [file for file in whole() if file.owner != "router-cobo0"]
        judgement = run_of([*files, *away])
        assert judgement.verdict == "not_proven"
        assert texts(judgement) == ["node-cobo0: 7 files could not be read: no route to host"]

    def test_frames_of_two_sources_in_one_file(self) -> None:
        mixed = data_file(0, 0, EVENTS, tail=frames(0, 1, [100]))
        judgement = run_of(replaced(whole(), 0, 0, mixed))
        assert f"{mixed.name}: holds frames of CoBo0_AsAd0 and CoBo0_AsAd1" in texts(judgement)

    def test_time_stamps_that_go_back_are_another_runs(self) -> None:
        file = data_file(0, 0, EVENTS, tail=frames(0, 0, [100, 101], start=-5.0))
        judgement = run_of(replaced(whole(range(102)), 0, 0, file))
        assert judgement.verdict == "incomplete"
        assert f"{file.name}: time stamps go back inside it: frames of another run may be in it" in texts(judgement)

    def test_time_stamps_that_span_more_than_the_run(self) -> None:
        file = data_file(0, 0, EVENTS, tail=frames(0, 0, [100], start=3600.0))
        judgement = run_of(replaced(whole(range(101)), 0, 0, file))
        assert judgement.verdict == "incomplete"
        assert any("CoBo0_AsAd0: time stamps span 3610 s and the run at most 60 s" in text for text in texts(judgement))

    def test_a_late_file_is_a_remark(self) -> None:
        late = data_file(0, 0, range(98, 100), late=True, proof="Its events go on where the run's end.")
        judgement = run_of(replaced(whole(), 0, 0, data_file(0, 0, range(98)), late))
        assert judgement.verdict == "remarks"
        assert texts(judgement) == [f"{late.name}: came late and was attached to this run. {late.proof}"]


class TestEvents:
    def test_what_one_source_lacks_and_others_have(self) -> None:
        lacking = [n for n in EVENTS if n not in (7, 8, 50)]
        judgement = run_of(replaced(whole(), 1, 0, data_file(1, 0, lacking)))
        assert judgement.verdict == "incomplete"
        assert texts(judgement) == ["CoBo1_AsAd0: without events 7 to 8, 50 (3 in all), which others have"]
        row = next(source.row(20) for source in judgement.sources if source.name == "CoBo1_AsAd0")
        assert (row["missing"], row["missing_ranges"], row["gaps"]) == (3, [[7, 8], [50, 50]], 3)

    def test_what_a_whole_cobo_lacks_is_said_once(self) -> None:
        files = replaced(whole(), 1, 0, data_file(1, 0, range(20, 100)))
        files = replaced(files, 1, 1, data_file(1, 1, range(20, 100)))
        assert texts(run_of(files)) == ["CoBo1 AsAds 0 to 1: without events 0 to 19 (20 in all), which others have"]

    def test_what_the_mutant_has_and_no_cobo(self) -> None:
        events = [n for n in EVENTS if n != 42]
        files = [file if file.owner == "router-mutant" else data_file(*board_of(file), events) for file in whole()]
        judgement = run_of(files)
        assert judgement.verdict == "incomplete"
        assert "without event 42, which others have" in texts(judgement)[0]

    def test_what_nobody_has(self) -> None:
        judgement = run_of(whole([n for n in EVENTS if not 30 <= n < 40]))
        assert texts(judgement) == ["No file has events 30 to 39 (10 in all)"]
        assert judgement.verdict == "incomplete"

    def test_a_few_at_the_very_end_are_a_remark_and_more_are_not(self) -> None:
        few = run_of(replaced(whole(), 1, 0, data_file(1, 0, range(97))))
        assert (few.verdict, texts(few)) == (
            "remarks",
            ["CoBo1_AsAd0: ends 3 events before the others: cut off at the Stop"],
        )
        many = run_of(replaced(whole(), 1, 0, data_file(1, 0, range(80))))
        assert (many.verdict, texts(many)) == ("incomplete", ["CoBo1_AsAd0: ends 20 events before the others"])

    def test_a_board_that_was_not_stopped_with_the_others_makes_them_no_worse(self) -> None:
        files = replaced(whole(cobos=3), 1, 0, data_file(1, 0, range(140)))
        judgement = run_of(files, RunFacts(boards(3), seconds=60.0))
        assert judgement.verdict == "remarks"
        assert texts(judgement) == ["CoBo1_AsAd0: goes on for 40 events after the others: it was not stopped with them"]

    def test_without_a_mutant_file_one_of_three_may_go_on_but_not_two(self) -> None:
        files = [data_file(cobo, 0, EVENTS) for cobo in range(2)]
        facts = RunFacts(boards(3, mutant=False), seconds=60.0)
        alone = run_of([*files, data_file(2, 0, range(140))], facts)
        assert (alone.verdict, len(alone.reasons)) == ("remarks", 1)
        two = run_of([files[0], *(data_file(cobo, 0, range(140)) for cobo in (1, 2))], facts)
        assert (two.verdict, texts(two)) == ("incomplete", ["CoBo0_AsAd0: ends 40 events before the others"])

    @pytest.mark.parametrize("ends", [(140, 100, 95), (140, 100, 100, 95)])
    def test_without_a_mutant_file_the_others_must_agree_where_it_ended(self, ends: tuple[int, ...]) -> None:
        files = [data_file(cobo, 0, range(end)) for cobo, end in enumerate(ends)]
        judgement = run_of(files, RunFacts(boards(len(ends), mutant=False), seconds=60.0))
        assert judgement.verdict == "incomplete"
        assert "ends 40 events before the others" in texts(judgement)[0]

    def test_triggers_that_no_cobo_has_are_missing(self) -> None:
        files = [file for file in whole(cobos=3) if file.owner != "router-mutant"]
        judgement = run_of([*files, mutant_file(range(140))], RunFacts(boards(3), seconds=60.0))
        assert judgement.verdict == "incomplete"
        assert "ends 40 events before the others" in texts(judgement)[0]

    def test_a_mutant_whose_counter_went_on_is_compared_all_the_same(self) -> None:
        files = [file for file in whole() if file.owner != "router-mutant"]
        judgement = run_of([*files, mutant_file(range(1000, 1100))])
        assert judgement.verdict == "remarks"
        assert texts(judgement)[0].startswith("MuTanT: its event numbers are 1000 above the CoBos'")
        short = run_of([*files, mutant_file(range(1000, 1050))])
        assert "MuTanT: ends 50 events before the others" in texts(short)
        assert next(s.row(20) for s in short.sources if s.name == "MuTanT")["missing_ranges"] == [[1050, 1099]]

    def test_cobos_that_missed_the_first_events_are_not_explained_away(self) -> None:
        files = [data_file(cobo, asad, range(5, 100)) for cobo in range(2) for asad in range(2)]
        judgement = run_of([*files, mutant_file(EVENTS)])
        assert judgement.verdict == "incomplete"
        assert any("without events 0 to 4 (5 in all)" in text for text in texts(judgement))

    def test_a_number_sent_twice_is_a_remark_and_a_counter_that_began_again_is_not(self) -> None:
        stutter = [data_file(0, 0, range(51)), data_file(0, 0, range(50, 100), index=1)]
        judgement = run_of(replaced(whole(), 0, 0, *stutter))
        assert (judgement.verdict, texts(judgement)) == ("remarks", ["CoBo0_AsAd0: 1 event number is there twice"])
        again = [data_file(0, 0, EVENTS), data_file(0, 0, range(40), start=20.0, index=1)]
        judgement = run_of(replaced(whole(), 0, 0, *again))
        assert judgement.verdict == "incomplete"
        assert texts(judgement)[0].startswith("CoBo0_AsAd0: 40 event numbers are there twice")

    def test_a_few_numbers_of_another_run_are_not_taken_for_a_stutter(self) -> None:
        other = data_file(0, 0, range(95, 100), start=-0.5, index=1)
        judgement = run_of(replaced(whole(), 0, 0, data_file(0, 0, EVENTS), other))
        assert judgement.verdict == "incomplete"
        assert texts(judgement)[0].startswith("CoBo0_AsAd0: 5 event numbers are there twice")

    def test_clocks_that_were_not_reset_together(self) -> None:
        files = replaced(whole(), 1, 0, data_file(1, 0, EVENTS, start=30.0))
        judgement = run_of(files)
        assert judgement.verdict == "remarks"
        assert texts(judgement)[0].startswith("CoBo1_AsAd0: its time stamps are +30.0 s apart")


class TestBoards:
    def test_a_board_without_a_frame(self) -> None:
        judgement = run_of([file for file in whole() if file.owner != "router-cobo1"])
        assert judgement.verdict == "incomplete"
        assert texts(judgement) == ["CoBo[1]: there is no frame of it (data router router-cobo1)"]

    def test_an_asad_that_the_configuration_has_active(self) -> None:
        facts = RunFacts(boards(asads=frozenset({0, 1, 2})), seconds=60.0)
        judgement = run_of(whole(), facts)
        assert judgement.verdict == "incomplete"
        assert texts(judgement) == [
            "CoBo0_AsAd2, CoBo1_AsAd2: there is no frame of it, and the configuration has it active"
        ]

    def test_without_a_configuration_a_cobo_with_fewer_asads_is_a_remark(self) -> None:
        judgement = run_of(replaced(whole(), 1, 1))
        assert (judgement.verdict, texts(judgement)) == (
            "remarks",
            ["CoBo[1]: has frames of 1 AsAds, other CoBos of 2"],
        )

    def test_one_that_was_excluded_meanwhile_may_end_early(self) -> None:
        out = "ecc-cobo1 was excluded at 12:00:00 (its node burnt)"
        facts = RunFacts((*boards(1), Board("CoBo[1]", "router-cobo1", cobo=1, excluded=out)), seconds=60.0)
        files = replaced(whole(), 1, 0, data_file(1, 0, range(40)))
        judgement = run_of(replaced(files, 1, 1, data_file(1, 1, range(40))), facts)
        assert judgement.verdict == "remarks"
        assert texts(judgement) == [f"CoBo1 AsAds 0 to 1: ends 60 events before the others: {out}"]

    @pytest.mark.parametrize("files", [[], [data_file(0, 0, ())]])
    def test_no_frame_at_all(self, files: list[CheckedFile]) -> None:
        judgement = run_of(files)
        assert (judgement.verdict, len(judgement.reasons)) == ("incomplete", 1)
        assert judgement.reasons[0].text.startswith("No frame belongs to this run")


class TestReasons:
    def test_the_worst_comes_first_and_is_the_verdict(self) -> None:
        known = (
            Finding(Level.REMARK, "router-cobo0", "was restarted"),
            Finding(Level.INCOMPLETE, "node-cobo0", "its disk was full"),
            Finding(Level.NOT_PROVEN, "node-cobo1", "cannot be read"),
        )
        judgement = run_of(whole(), RunFacts(boards(), seconds=60.0, known=known))
        assert judgement.verdict == "incomplete"
        assert [reason.level for reason in judgement.reasons] == ["incomplete", "not_proven", "remarks"]

    def test_of_many_alike_a_few_are_shown(self) -> None:
        found = [Finding(Level.INCOMPLETE, f"file{n}", f"truncated at byte {n}", "tail") for n in range(40)]
        reasons = in_sentences(found)
        assert len(reasons) == 5
        assert reasons[-1].text == "And 36 more of this kind."

    def test_many_subjects_are_named_in_short(self) -> None:
        found = [Finding(Level.INCOMPLETE, f"CoBo{n}_AsAd0", "events 5 are missing") for n in range(10)]
        [reason] = in_sentences(found)
        assert reason.text == "CoBo0_AsAd0, CoBo1_AsAd0, CoBo2_AsAd0, CoBo3_AsAd0 and 6 more: events 5 are missing"


def board_of(file: CheckedFile) -> tuple[int, int]:
    cobo, asad = file.name.split("_")[:2]
    return int(cobo.removeprefix("CoBo")), int(asad.removeprefix("AsAd"))
