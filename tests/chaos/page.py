"""What the page said, noted as it was: the crew believes nothing else."""

from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from get_protocol.state_machine import State
from tests.chaos.evidence import Look
from tests.chaos.hardware import Hardware
from tests.chaos.world import World

WORDS = {
    State.OFF: "wedged",
    State.IDLE: "idle",
    State.DESCRIBED: "described",
    State.PREPARED: "prepared",
    State.READY: "ready",
    State.RUNNING: "running",
    State.PAUSED: "paused",
}


def look(world: World) -> Look:
    """What a browser would show now."""
    seen = snapshot(world.clock.now())
    return Look(
        at=world.now(),
        level=seen.overall.level,
        text=_text(seen),
        servers={server.name: server.state for server in seen.ecc_servers},
        going={server.name: server.going_to for server in seen.ecc_servers},
        online={router.name: router.online for router in seen.routers},
        run=seen.run.state if seen.run else None,
        alarmed=seen.overall.level == "bad",
    )


def _text(seen: Snapshot) -> str:
    loose = " ".join(("Loose:", *seen.loose.servers)) if seen.loose else ""
    return " ".join((seen.overall.title, *seen.overall.reasons, loose))


def disagreements(shown: Look, hardware: Hardware) -> list[str]:
    """Where the page and the hardware differ just now."""
    wrong = []
    for name, process in hardware.ecc.items():
        answers = process.alive and not process.frozen
        true = WORDS[process.service.state] if answers else "unknown"
        if shown.servers[name] != true:
            wrong.append(f"{name} is shown as {shown.servers[name]}, it is {true}")
        busy = answers and process.service.work is not None
        if bool(shown.going[name]) != busy:
            wrong.append(f"{name} is shown as going to {shown.going[name] or 'nowhere'}, it is busy: {busy}")
    for name, router in hardware.routers.items():
        true_online = router.alive if hardware.alive(router.spec.node) else None
        if shown.online[name] is not true_online:
            wrong.append(f"{name} is shown as online={shown.online[name]}, it is {true_online}")
    return wrong
