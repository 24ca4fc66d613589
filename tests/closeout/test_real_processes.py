"""The same with real processes, sshd and disks: frames that come late, a worker that dies between two renames."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from get_protocol.graw import walk
from tests.chaos.real_kills import wait_until
from tests.chaos.real_parts import Real, running_real
from tests.e2e.waiting import wait_for

LATE_BOARD = "CoBo[3]"
LATE_SECONDS = 6.0
CLOSED_WITHIN = 90.0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with running_real(tmp_path_factory.mktemp("closeout")) as real:
        wait_for(lambda: real.system.all_in("idle"), "the monitor to see every server", 30)
        real.system.ready()
        yield real


def sent(real: Real) -> Counter[str]:
    """Board -> frames that it has sent so far; nothing was lost on the way."""
    boards = real.system.truth()["boards"]
    assert [board["name"] for board in boards if board["frames_lost"]] == []
    return Counter({board["name"]: board["frames_sent"] for board in boards})


def quiet(real: Real) -> Counter[str]:
    """The same once nobody sends any more."""

    def look() -> Counter[str] | None:
        before = sent(real)
        late = [board["name"] for board in real.system.truth()["boards"] if board["sending"]]
        return before if not late and sent(real) == before else None

    return wait_for(look, "boards to be quiet", 30)


def on_disk(real: Real, run: dict[str, Any]) -> dict[str, list[int]]:
    """Source -> event numbers of every frame in a run's directories, file after file."""
    found: dict[str, list[int]] = {}
    for root in real.system.nodes.values():
        for path in sorted((root / "staging" / directory_of(run)).glob("*.graw")):
            for header in walk(path.read_bytes()):
                assert header.event_idx is not None
                found.setdefault(path.name.partition("_20")[0], []).append(header.event_idx)
    return found


def directory_of(run: dict[str, Any]) -> str:
    return f"{run['experiment']}/run_{run['number']:04d}"


def frames_by_board(events: dict[str, list[int]]) -> Counter[str]:
    count: Counter[str] = Counter()
    for source, numbers in events.items():
        cobo = source.partition("_")[0].removeprefix("CoBo")
        count["Mutant[master]" if source.startswith("MuT") else f"CoBo[{cobo}]"] += len(numbers)
    return count


def take(real: Real, files: int = 41) -> None:
    """A run that is running, with every file begun."""
    refused = wait_until(60, lambda: " ".join(real.system.status()["actions"]["start"]["reasons"]))
    assert not refused, refused
    real.system.do("start")
    wait_for(lambda: sum(map(len, real.system.files().values())) >= files, "every source to have a file")


def closed(real: Real, runs: int) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        listed = real.system.runs()
        return listed[0] if len(listed) == runs and listed[0]["state"] == "closed" else None

    return wait_for(look, "the run to be closed", CLOSED_WITHIN)


def verdict(real: Real, run: dict[str, Any]) -> str:
    """What the manifest of a run says once it is made, with its reasons."""

    def look() -> str:
        code, found = real.system.api("GET", f"/runs/{run['experiment']}/{run['number']}/manifest")
        assert code == 200, found
        return f"{found['verdict']} {found['reasons']}" if found["verdict"] else ""

    return wait_for(look, f"the manifest of run {run['number']}", CLOSED_WITHIN)


def in_the_middle_of_a_move(real: Real, run: int) -> bool:
    """Whether some files of a run are moved, and others not yet."""
    roots = real.system.nodes.values()
    moved = any(any(root.glob(f"staging/*/run_{run:04d}/*.graw")) for root in roots)
    return moved and any(any(root.glob("staging/*.graw")) for root in roots)


def kill_in_the_middle_of_a_move(real: Real, run: int) -> bool:
    """kill -9 to the workers between two renames; whether such a moment came."""
    hit = False
    with suppress(AssertionError):
        hit = until(lambda: in_the_middle_of_a_move(real, run))
    real.parts["worker"].kill()
    left = in_the_middle_of_a_move(real, run)
    real.parts["worker"].restart()
    return hit and left


def until(look: Any, looks: int = 200_000) -> bool:
    """Look without a pause: the moment is short."""
    return any(look() for _ in range(looks))


def test_every_frame_is_in_its_run_after_late_frames_and_a_kill_in_the_middle_of_the_move(real: Real) -> None:
    """Three runs: one whose mover dies, one whose frames come late, and one that follows at once."""
    counts, runs = [quiet(real)], []
    take(real)
    command = real.system.request("stop")
    killed = kill_in_the_middle_of_a_move(real, 1)
    real.system.finished(command, 60)
    runs.append(closed(real, 1))
    counts.append(quiet(real))

    take(real)
    real.system.fault(LATE_BOARD, "late_frames", seconds=LATE_SECONDS, times=1)
    real.system.finished(real.system.request("stop"), 60)
    runs.append(closed(real, 2))
    counts.append(quiet(real))

    take(real)
    real.system.finished(real.system.request("stop"), 60)
    runs.append(closed(real, 3))
    counts.append(quiet(real))

    assert killed, "the worker was not killed in the middle of a move"
    wait_for(lambda: not any(real.system.files().values()), "staging to be empty")
    for before, after, run in zip(counts, counts[1:], runs, strict=False):
        events = on_disk(real, run)
        assert frames_by_board(events) == after - before, run
        assert {source: sorted(numbers) for source, numbers in events.items()} == {
            source: list(range(len(numbers))) for source, numbers in events.items()
        }
    assert [path for root in real.system.nodes.values() for path in quarantined(root)] == []
    verdicts = [verdict(real, run) for run in runs]
    assert [said for said in verdicts if not said.startswith(("complete", "remarks"))] == []
    assert verdicts[2] == "complete []"


def quarantined(root: Path) -> list[Path]:
    return list(root.glob("staging/_quarantine/*/*.graw"))
