"""The checklist at the start of a shift: what the DAQ can tell by itself, judged purely, and what people look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from attpcdaq.live.events import MOST_COUNTED
from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runcontrol.seeing.system_checks import Check
from attpcdaq.runcontrol.seeing.views import EccView, NodeView, RouterView, RunView

Level = Literal["ok", "warn", "bad"]
NAMED = 4


@dataclass(frozen=True, slots=True)
class ByHand:
    """Something that only people can look at."""

    key: str
    label: str
    hint: str = ""


BY_HAND = (
    ByHand("read", "Hand-over of the last shift read", "And asked what is not clear, while they are still here."),
    ByHand("beam", "Beam: species, energy and intensity as agreed", "Ask the operators of the accelerator."),
    ByHand("gas", "Gas: pressure, flow and purity"),
    ByHand("hv", "High voltages: cathode, field cage, micromegas; currents quiet"),
    ByHand("magnet", "Magnet: current and cooling"),
    ByHand("trigger", "Trigger: set up as agreed, scalers count"),
    ByHand("other-daq", "The other DAQ (FRIBDAQ) is ready and writes"),
    ByHand("phone", "Telephone numbers of expert and control room at hand"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that the DAQ looked at: `page` names where it is mended (an address by name), `anchor` the manual's."""

    key: str
    label: str
    level: Level
    text: str
    page: str = "status"
    anchor: str = "shifts#checklist"


@dataclass(frozen=True, slots=True)
class Status:
    """What of the status is judged; `run` is the open one."""

    experiment: str | None
    next_run_number: int | None
    run: RunView | None
    ecc_servers: Sequence[EccView]
    routers: Sequence[RouterView]
    nodes: Sequence[NodeView]


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run was: its number, ECC server -> name of its configuration, events per second (None: unknown)."""

    number: int
    configs: Mapping[str, str]
    event_rate: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is judged."""

    status: Status
    checks: Sequence[Check]
    last: LastRun | None
    incomplete_sheets: Sequence[int]
    """Numbers of runs."""
    unproven_runs: Sequence[int]
    unacknowledged: int
    """MOST_COUNTED + 1 for more than that."""


def judged(seen: Seen) -> tuple[Item, ...]:
    """Every item, in the order in which one would look."""
    return (
        _experiment(seen),
        _servers(seen),
        _configurations(seen),
        _same_as_last(seen),
        _routers(seen),
        _staging(seen),
        _disks(seen),
        _clocks(seen),
        *_daq(seen),
        _trigger_rate(seen),
        _sheets(seen),
        _data(seen),
        _events(seen),
    )


def _experiment(seen: Seen) -> Item:
    label, name = "Experiment", seen.status.experiment
    if name is None:
        return Item("experiment", label, "bad", "none is active: choose one.", "experiments")
    text = f"{name}; the next run is {seen.status.next_run_number}"
    if seen.status.run is not None:
        text = f"{name}; run {seen.status.run.number} is {seen.status.run.state_label.lower()}"
    return Item("experiment", label, "ok", f"{text}. Is it the right one?", "experiments")


def _servers(seen: Seen) -> Item:
    label, servers = "ECC servers", seen.status.ecc_servers
    lost = [server.name for server in servers if server.state in ("unknown", "wedged") and not server.excluded]
    out = [server.name for server in servers if server.excluded]
    if not servers:
        return Item("servers", label, "bad", "none is set up.", "setup")
    if lost:
        return Item("servers", label, "bad", f"{_names(lost)}: unknown or wedged.")
    if out:
        return Item("servers", label, "warn", f"all others answer, but excluded: {_names(out)}.")
    states = ", ".join(sorted({server.state_label for server in servers}))
    return Item("servers", label, "ok", f"all {len(servers)} answer ({states}).")


def _configurations(seen: Seen) -> Item:
    label = "Configurations chosen"
    servers = [server for server in seen.status.ecc_servers if not server.excluded]
    without = [server.name for server in servers if not server.config]
    drifted = [server.name for server in servers if server.drifts]
    if without:
        return Item("configs", label, "bad", f"none for {_names(without)}.", "setup")
    if drifted:
        return Item(
            "configs", label, "warn", f"a file changed on disk since it was loaded: {_names(drifted)}.", "setup"
        )
    return Item("configs", label, "ok", "for every server.", "setup")


def _same_as_last(seen: Seen) -> Item:
    label = "Configurations as in the last run"
    if seen.last is None:
        return Item("same-configs", label, "ok", "there was no run yet.", "setup")
    now = {server.name: server.config for server in seen.status.ecc_servers if not server.excluded}
    other = [name for name, config in now.items() if seen.last.configs.get(name, config) != config]
    if other:
        return Item(
            "same-configs", label, "warn", f"another one than in run {seen.last.number}: {_names(other)}.", "setup"
        )
    return Item("same-configs", label, "ok", f"as in run {seen.last.number}.", "setup")


def _routers(seen: Seen) -> Item:
    routers = [router for router in seen.status.routers if not router.excluded]
    bad = [router.name for router in routers if not router.online or router.hears is False or router.deaf]
    if bad:
        return Item("routers", "Data routers", "bad", f"{_names(bad)}: off, unknown, or deaf.")
    return Item("routers", "Data routers", "ok", f"all {len(routers)} run and listen.")


def _staging(seen: Seen) -> Item:
    label = "Staging directories"
    if seen.status.run is not None:
        return Item("staging", label, "ok", f"run {seen.status.run.number} writes into them.")
    routers = [router for router in seen.status.routers if not router.excluded]
    full = [router.name for router in routers if router.clean is False]
    unseen = [router.name for router in routers if router.clean is None]
    if full or unseen:
        said = [f"files lie in that of {_names(full)}"] if full else []
        said += [f"nobody knows of {_names(unseen)}"] if unseen else []
        return Item("staging", label, "bad", f"{'; '.join(said)}.")
    return Item("staging", label, "ok", "clean.")


def _disks(seen: Seen) -> Item:
    label = "Disks"
    disks = {router.disk.node: router.disk for router in seen.status.routers if router.disk and not router.excluded}
    low = [disk for disk in disks.values() if disk.low or disk.level]
    if low:
        said = ", ".join(f"{disk.node} {in_bytes(disk.free)} {disk.words}".strip() for disk in low[:NAMED])
        level: Level = "bad" if any(disk.low or disk.level == "bad" for disk in low) else "warn"
        return Item("disks", label, level, f"nearly full: {said}.")
    if not disks:
        return Item("disks", label, "warn", "nobody knows how full they are.")
    least = min(disks.values(), key=lambda disk: disk.free)
    return Item("disks", label, "ok", f"the fullest has {in_bytes(least.free)} free ({least.node}).")


def _clocks(seen: Seen) -> Item:
    off = [node.name for node in seen.status.nodes if node.clock_off]
    if off:
        return Item("clocks", "Clocks of the nodes", "warn", f"off: {_names(off)}.")
    return Item("clocks", "Clocks of the nodes", "ok", "none was seen to be off.")


def _daq(seen: Seen) -> list[Item]:
    """The DAQ's own processes in one line, and its backups."""
    backups = [check for check in seen.checks if check.name == "backup"]
    wrong = [check for check in seen.checks if check.level != "ok" and check.name != "backup"]
    label = "The DAQ's own processes"
    level: Level = "ok"
    items = [Item("daq", label, level, "all at work.")]
    if wrong:
        level = "bad" if any(check.hinders for check in wrong) else "warn"
        said = "; ".join(f"{check.name}: {check.text}" for check in wrong)
        items = [Item("daq", label, level, f"{said}.", anchor=wrong[0].anchor)]
    for check in backups:
        items.append(
            Item("backup", "Backup", "ok" if check.level == "ok" else "warn", f"{check.text}.", anchor=check.anchor)
        )
    return items


def _trigger_rate(seen: Seen) -> Item:
    label = "Trigger rate of the last run"
    if seen.last is None:
        return Item("trigger-rate", label, "ok", "there was no run yet.", "runs")
    if not seen.last.event_rate:
        return Item("trigger-rate", label, "warn", f"no events were seen in run {seen.last.number}.", "runs")
    return Item("trigger-rate", label, "ok", f"{seen.last.event_rate:.3g} events/s in run {seen.last.number}.", "runs")


def _sheets(seen: Seen) -> Item:
    return _runs("sheets", "Run sheets", "warn", "required values are missing", seen.incomplete_sheets)


def _data(seen: Seen) -> Item:
    return _runs("data", "Data of the runs", "bad", "incomplete or not proven", seen.unproven_runs)


def _runs(key: str, label: str, level: Level, what: str, numbers: Sequence[int]) -> Item:
    if not numbers:
        return Item(key, label, "ok", "complete.", "runs")
    of = f"run {numbers[0]}" if len(numbers) == 1 else f"runs {_names(map(str, numbers))}"
    return Item(key, label, level, f"{what}: {of}.", "runs")


def _events(seen: Seen) -> Item:
    label, count = "Warnings and errors acknowledged", seen.unacknowledged
    if not count:
        return Item("events", label, "ok", "all of them.", "events")
    said = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
    return Item("events", label, "warn", f"{said} {'is' if count == 1 else 'are'} not.", "events")


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
