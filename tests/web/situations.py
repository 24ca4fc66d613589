"""Every situation that the page must put into one glance, by name."""

from dataclasses import replace

from attpcdaq.runcontrol.seeing.views import ActionView, Overall, Snapshot, StageView
from tests.web import drawn
from tests.web.drawn import COBOS, GO, HALT, MUTANT, NO, planned


def situations() -> dict[str, Snapshot]:
    """Name -> what the page shows then."""
    return {
        "idle": drawn.status("idle"),
        "ready": drawn.status("ready", actions=drawn.actions(start=planned(*GO))),
        "running": running(),
        "under-way": under_way(),
        "failed": failed(),
        "wedged": wedged(),
        "loose": loose(),
        "excluded": excluded(),
        "no-data": no_data(),
        "monitor-away": replace(
            drawn.status("unknown"),
            monitor_alive=False,
            overall=Overall("bad", "Monitor is not running", ("Nothing is known: start the monitor process.",)),
        ),
        "everything": everything(),
    }


def running() -> Snapshot:
    start = ActionView(allowed=False, reasons=("Run 7 is open.",))
    return drawn.status(
        "running",
        overall=Overall("ok", "Run 7 is running"),
        run=drawn.run(),
        routers=tuple(drawn.taking_data(number) for number in range(11)),
        actions=drawn.actions(start=start, stop=planned(*HALT)),
    )


def under_way() -> Snapshot:
    shown = drawn.status("prepared", overall=Overall("busy", "Configure under way", ("Waiting for ecc-cobo3.",)))
    command = drawn.command(state="running", message="", finished_at=None, retry=ActionView(allowed=False))
    return replace(shown, command=command, actions=drawn.actions() | dict.fromkeys(("go_ready", "go_idle"), NO))


def failed() -> Snapshot:
    shown = drawn.status(
        "ready",
        overall=Overall("bad", "Mixed states", ("Prepared: ecc-cobo3, ecc-mutant", "Ready: the others")),
        command=drawn.command(),
    )
    said = "CoBo 3 does not answer on its slow control link"
    return drawn.changed(shown, 3, state="prepared", state_label="Prepared", last_error=said)


def wedged() -> Snapshot:
    reason = "it is wedged (state 0): restart its ECC server."
    refused = ActionView(allowed=False, reasons=(f"ecc-cobo4: {reason}",))
    shown = drawn.status(
        "prepared",
        overall=Overall("bad", "Needs attention", (f"ecc-cobo4: {reason}",)),
        actions=drawn.actions(go_ready=refused, go_idle=refused, start=refused),
    )
    return drawn.changed(
        shown,
        4,
        state="wedged",
        state_label="Wedged",
        trouble=drawn.WEDGED,
        still_busy="Breakup, sent at 04:12:30 and given up at 04:13:00.",
        last_restart=drawn.restarted("failed", "No answer after 60 s."),
    )


def loose() -> Snapshot:
    reason = "ecc-cobo0 .. ecc-cobo9 are Running although no run is open."
    return drawn.status(
        "running",
        overall=Overall("bad", "Data are taken, but no run is open", (reason,)),
        loose=drawn.loose(),
        actions=drawn.actions(start=ActionView(allowed=False, reasons=(reason,))),
    )


def excluded() -> Snapshot:
    shown = drawn.changed(drawn.status("ready"), 3, state="idle", state_label="Idle", excluded=drawn.exclusion())
    overall = Overall("ok", "Ready", ("Excluded: ecc-cobo3 (its HV trips)",))
    return replace(shown, overall=overall, actions=drawn.actions(start=planned(*GO)))


def no_data() -> Snapshot:
    shown = running()
    routers = list(shown.routers)
    routers[5] = replace(routers[5], growing=False, rate=0.0, trouble=drawn.SILENT)
    title = Overall("bad", "Run 7 is not taking all data", ("router-cobo5: no data for 8 s (ecc-cobo5).",))
    return replace(shown, overall=title, routers=tuple(routers))


def everything() -> Snapshot:
    """The worst night: all at once, with a plan that has reasons."""
    shown = replace(failed(), loose=drawn.loose(), stray=True, reconfigure_mutant=True)
    shown = drawn.changed(shown, 4, trouble=drawn.WEDGED, state="wedged", state_label="Wedged", restart=NO)
    shown = drawn.changed(
        shown,
        7,
        excluded=drawn.exclusion("taken out " * 19),
        still_busy="Configure, sent at 03:58:10 and given up at 03:59:10.",
    )
    mutant = StageView("Breakup", MUTANT, "it is configured anew before each run")
    return replace(shown, actions=drawn.actions(go_ready=planned(mutant, StageView("Configure", COBOS + MUTANT))))
