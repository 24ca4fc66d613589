"""The status as plain values, for drawing the page in every situation without a detector."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import RequestFactory

from attpcdaq.runcontrol.models import Action
from attpcdaq.runcontrol.seeing.views import (
    ActionView,
    CommandView,
    EccView,
    ExclusionView,
    Level,
    LooseView,
    Overall,
    RestartView,
    RouterView,
    RunView,
    Snapshot,
    StageView,
    StepView,
    TroubleView,
)
from attpcdaq.runlog.models import RunClass
from attpcdaq.web.attention import attention
from attpcdaq.web.partials import PANELS
from attpcdaq.web.roles import as_seen_by
from attpcdaq.web.shared_panels import SharedPanels
from tests.web.page import Page

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
COBOS = tuple(f"ecc-cobo{number}" for number in range(10))
MUTANT = ("ecc-mutant",)
YES = ActionView(allowed=True)
NO = ActionView(allowed=False, reasons=("Configure is under way.",))
UP = (
    StageView("Describe", COBOS + MUTANT),
    StageView("Prepare", MUTANT),
    StageView("Prepare", COBOS),
    StageView("Configure", COBOS),
    StageView("Configure", MUTANT),
)
GO = (StageView("Start", COBOS), StageView("Start", MUTANT))
HALT = (StageView("Stop", MUTANT), StageView("Stop", COBOS))
WEDGED = TroubleView(
    "wedged",
    "its ECC server is wedged",
    "A Breakup failed inside it; it answers state 0 and does nothing more.",
    "Restart its ECC server (Controls), then Go to Ready.",
    "wedged",
)
SILENT = TroubleView(
    "no-data",
    "no data arrive",
    "The board is Running, but its file does not grow.",
    "Look whether the router runs; Stop run, mend it, start again.",
    "no-data",
)


def planned(*stages: StageView, confirm: str = "") -> ActionView:
    return ActionView(allowed=True, confirm=confirm, stages=stages, digest="4f6e20c91a55")


def actions(**more: ActionView) -> dict[str, ActionView]:
    """Everything allowed, Start and the goals with plans, unless said otherwise."""
    found = dict.fromkeys(Action.values, YES)
    goals = {"go_ready": planned(*UP), "go_idle": planned(StageView("Undo", COBOS + MUTANT)), "stop": planned(*HALT)}
    return found | goals | {"start": planned(*UP, *GO)} | more


def server(number: int, state: str = "idle", **more: Any) -> EccView:
    """ECC server of CoBo `number`; 10 is the MuTAnT's."""
    name = (COBOS + MUTANT)[number]
    board = "Mutant[master]" if name == MUTANT[0] else f"CoBo[{number}]"
    view = EccView(
        id=number + 1,
        name=name,
        state=state,
        state_label=state.capitalize(),
        going_to="",
        age=0.4,
        seen_at=NOW,
        config=f"{name[4:]} / experiment / experiment",
        problem="",
        progress="",
        last_error="",
        roles=("cobo",),
        boards=(board,),
        actions=actions(),
        restart=YES,
    )
    return replace(view, **more)


def router(number: int, **more: Any) -> RouterView:
    name = (COBOS + MUTANT)[number]
    view = RouterView(
        id=number + 1,
        name=name.replace("ecc", "router"),
        node=name.replace("ecc", "node"),
        ecc_server=name,
        online=True,
        clean=True,
        files=0,
        bytes=0,
        rate=0.0,
        growing=False,
        grew_at=None,
        last_event=None,
        disk_free=640 * 10**9,
        disk_total=10**12,
        age=0.4,
        seen_at=NOW,
        problem="",
        deaf=False,
        restart=YES,
    )
    return replace(view, **more)


def taking_data(number: int) -> RouterView:
    return router(
        number, clean=False, files=4, bytes=123_456_789, rate=4_321_000.0, growing=True, grew_at=NOW, last_event=48_213
    )


def run(**more: Any) -> RunView:
    """Run 7, running for 90 s."""
    begun = NOW - timedelta(seconds=90)
    view = RunView(
        id=7,
        experiment="e20009",
        number=7,
        title="16O on alpha, 3 Torr",
        run_class="production",
        state="running",
        state_label="Running",
        verdict="",
        requested_at=begun,
        started_at=begun,
        stopped_at=None,
        directory="e20009/run_0007",
    )
    return replace(view, **more)


def command(action: str = "configure", state: str = "failed", **more: Any) -> CommandView:
    """A Configure of all which failed at the fourth CoBo and can be retried."""
    said = "CoBo 3 does not answer on its slow control link"
    steps = tuple(
        StepView(0, name, "Configure", "failed" if number == 3 else "confirmed", said if number == 3 else "")
        for number, name in enumerate(COBOS)
    )
    view = CommandView(
        id="3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        action=action,
        label=Action(action).label,
        targets=None,
        state=state,
        message="Configure failed for ecc-cobo3; the MuTAnT was not configured.",
        requested_by="kim",
        request_id="",
        requested_at=NOW - timedelta(seconds=40),
        finished_at=NOW - timedelta(seconds=20),
        run_number=None,
        steps=(*steps, StepView(1, MUTANT[0], "Configure", "skipped", "")),
        retry=planned(StageView("Configure", COBOS[3:4]), StageView("Configure", MUTANT)),
    )
    return replace(view, **more)


def exclusion(reason: str = "its HV trips") -> ExclusionView:
    return ExclusionView(reason, "kim", NOW - timedelta(hours=2))


def restarted(state: str = "done", message: str = "It answers again and is Idle.") -> RestartView:
    return RestartView(state, message, "jo", NOW - timedelta(minutes=3))


def loose(*names: str) -> LooseView:
    return LooseView(names or COBOS, NOW - timedelta(seconds=12), YES)


def status(state: str = "ready", **more: Any) -> Snapshot:
    """All boards in one state and nothing wrong."""
    level: Level = "ok" if state in ("ready", "running") else "off"
    shown = Snapshot(
        at=NOW,
        monitor_alive=True,
        overall=Overall(level, state.capitalize()),
        experiment="e20009",
        next_run_number=8,
        run=None,
        last_run=None,
        ecc_servers=tuple(server(number, state) for number in range(11)),
        routers=tuple(router(number) for number in range(11)),
        actions=actions(),
        command=None,
        events=(),
        stray=False,
        monitor_at=NOW,
    )
    return replace(shown, **more)


def changed(shown: Snapshot, number: int, **more: Any) -> Snapshot:
    """The same with another server `number`."""
    servers = list(shown.ecc_servers)
    servers[number] = replace(servers[number], **more)
    return replace(shown, ecc_servers=tuple(servers))


def drawn(shown: Snapshot, user: User) -> str:
    """The status page as `user` sees it."""
    request = RequestFactory().get("/")
    request.user = user
    seen = as_seen_by(user, shown)
    context = {
        "status": seen,
        "attention": attention(seen),
        "event_id": 1,
        "may_operate": user.has_perm("runcontrol.operate"),
        "run_classes": RunClass.choices,
    }
    panels, _ = SharedPanels().html(tuple, PANELS.values(), lambda events: context, "token")
    return render_to_string("status/page.html", context | {"panels": panels}, request)


def draw(shown: Snapshot, user: User) -> Page:
    return Page.of(drawn(shown, user).encode())
