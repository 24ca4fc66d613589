"""What only a restart cures, cured over SSH on a simulated node, and the way back to Ready afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from attpcdaq.live.models import Event, RouterState
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import Node
from get_protocol.ecc_messages import Operation
from get_protocol.state_machine import State, Transition
from get_simulator.faults import FaultKind
from tests.runcontrol.simulated import NODE, ROUTER, SERVER, Simulated


@pytest.fixture
def real(db: None, tmp_path: Path) -> Iterator[Simulated]:
    simulated = Simulated(tmp_path)
    yield simulated
    simulated.close()


def test_a_wedged_server_is_restarted_and_goes_to_ready(real: Simulated) -> None:
    assert real.do("go_ready").state == "done"
    real.fault(SERVER, FaultKind.WEDGE)
    real.look()
    [seen] = snapshot(timezone.now()).ecc_servers
    assert (seen.state, seen.trouble.key, seen.restart.allowed) == ("wedged", "wedged", True)
    done = real.restart("ecc", SERVER)
    assert (done.state, done.command) == ("done", f"systemctl restart {SERVER}")
    again = real.do("go_ready")
    assert again.state == "done", (again.message, list(again.steps.values_list("transition", "state", "message")))
    assert real.look().state is State.READY
    assert real.detector.boards["CoBo[0]"].settings is not None


def test_a_call_that_hangs_in_the_server_ends_with_its_restart(real: Simulated) -> None:
    real.fault(SERVER, FaultKind.HANG, operation=Operation.CONFIGURE, times=1)
    failed = real.do("go_ready")
    assert failed.state == "failed"
    assert real.look().transition is Transition.CONFIGURE
    [seen] = snapshot(timezone.now()).ecc_servers
    assert seen.still_busy
    assert seen.trouble.key == "still-busy"
    assert real.restart("ecc", SERVER).state == "done"
    [seen] = snapshot(timezone.now()).ecc_servers
    assert (seen.state, seen.still_busy) == ("idle", "")
    assert real.do("go_ready").state == "done"


def test_a_deaf_router_hears_again_after_breakup_and_configure(real: Simulated) -> None:
    assert real.do("go_ready").state == "done"
    done = real.restart("router", ROUTER)
    assert done.state == "done"
    [router] = snapshot(timezone.now()).routers
    assert (router.deaf, router.trouble.key) == (True, "router-deaf")
    assert real.do("go_ready").state == "done"
    assert not snapshot(timezone.now()).routers[0].deaf
    assert real.do("start").state == "done"
    assert Run.objects.get().state == "running"
    real.frames_come()


def test_a_router_whose_port_is_taken_is_named_on_the_page_and_mended_by_another_restart(
    real: Simulated, admin_client: Client
) -> None:
    real.fault(ROUTER, FaultKind.DEAF, times=1)
    assert real.restart("router", ROUTER).state == "done", "its process runs"
    real.look_until(lambda: RouterState.objects.get().hears is False)
    page = " ".join(admin_client.get("/").content.decode().split())
    assert '<span class="badge" data-level="bad">Port taken</span>' in page
    assert "Its process runs, but its port is taken by another one: it receives nothing." in page
    assert 'data-trouble="port-taken"' in page
    reasons = snapshot(timezone.now()).actions["start"].reasons
    assert f"{ROUTER}: its port is taken by another process: it is deaf; restart it." in reasons
    said = Event.objects.filter(subject=ROUTER, severity="error").values_list("text", flat=True)
    assert "runs, but does not hear: its port is taken by another process" in said
    assert real.restart("router", ROUTER).state == "done"
    real.look_until(lambda: RouterState.objects.get().hears is True)
    assert "Port taken" not in admin_client.get("/").content.decode()
    assert real.do("start").state == "done"
    real.frames_come()


def test_a_dead_server_comes_back(real: Simulated) -> None:
    real.fault(SERVER, FaultKind.DIE)
    real.look()
    assert real.restart("ecc", SERVER).state == "done"
    assert real.look().state is State.IDLE


def test_a_dead_router_comes_back(real: Simulated) -> None:
    real.fault(ROUTER, FaultKind.DIE)
    real.look()
    assert RouterState.objects.get().online is False
    assert real.restart("router", ROUTER).state == "done"
    assert RouterState.objects.get().online is True


def test_a_command_that_fails_says_why(real: Simulated) -> None:
    real.fault(NODE, FaultKind.FAIL, message="Access denied", times=1)
    failed = real.restart("ecc", SERVER)
    assert failed.state == "failed"
    assert failed.message == f"'systemctl restart {SERVER}' on {NODE} ended with status 1: Access denied"
    Node.objects.update(restart_ecc="systemctl restart {name}x")
    assert "Unit ecc-cobo0x.service not found" in real.restart("ecc", SERVER).message
    Node.objects.update(restart_ecc="reboot-everything {name}")
    assert "ended with status 127: sh: reboot-everything: command not found" in real.restart("ecc", SERVER).message


def test_a_node_that_is_gone_is_said(real: Simulated) -> None:
    real.fault(NODE, FaultKind.DIE)
    failed = real.restart("ecc", SERVER)
    assert failed.state == "failed"
    assert failed.message.endswith("connection refused: nothing listens there. Nothing was done.")
