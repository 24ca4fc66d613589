"""Breaks each rule on purpose after a cycle without faults: whoever trusts the checker should have seen it complain."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from attpcdaq.runcontrol.models import Command, CommandState, Step, StepState
from attpcdaq.runlog.models import Experiment, Run, RunState
from attpcdaq.topology.models import ECCServer
from get_protocol.state_machine import Transition
from tests.chaos.ecc_port import Begun, Sent
from tests.chaos.world import World


def false(world: World) -> None:
    """A run is written into the log that no board knows of."""
    now = world.clock.now()
    Run.objects.create(
        experiment=Experiment.objects.get(),
        number=500,
        state=RunState.CLOSED,
        requested_at=now,
        started_at=now + timedelta(milliseconds=1),
        stopped_at=now + timedelta(milliseconds=2),
        closed_at=now + timedelta(milliseconds=3),
    )


def lost(world: World) -> None:
    """A data file of the latest run disappears from its node."""
    directory = f"/staging/{Run.objects.select_related('experiment')[0].directory}"
    for node in world.hardware.nodes.nodes.values():
        node.directories.get(directory, {}).clear()


def duplicate(world: World) -> None:
    """The latest run is given the number of the one before it."""
    latest, before = Run.objects.order_by("-pk")[:2]
    number = before.number
    Run.objects.filter(pk=before.pk).update(number=900)
    Run.objects.filter(pk=latest.pk).update(number=number)


def late(world: World) -> None:
    """A call leaves for a command that expired long ago."""
    command = _command(world, CommandState.EXPIRED, ago=60.0)
    server = ECCServer.objects.order_by("pk")[0].name
    begun = Begun(world.now(), str(command.pk), world.now() - 45.0)
    world.wire.calls.append(Sent(world.now(), server, Transition.PREPARE, begun, None))


def stuck(world: World) -> None:
    """A command and its step are under way, and nobody is at work on them."""
    command = _command(world, CommandState.RUNNING, ago=5.0)
    server = ECCServer.objects.order_by("pk")[0]
    Step.objects.create(
        command=command,
        stage=0,
        ecc_server=server,
        server_name=server.name,
        transition=Transition.PREPARE,
        state=StepState.SENT,
    )


def _command(world: World, state: str, ago: float) -> Command:
    then = world.clock.now() - timedelta(seconds=ago)
    return Command.objects.create(
        action="prepare",
        state=state,
        requested_by="nobody",
        requested_at=then,
        expires_at=then + timedelta(seconds=15),
        published_at=then,
        finished_at=then + timedelta(seconds=15) if state == CommandState.EXPIRED else None,
    )


SABOTAGE: Mapping[str, Callable[[World], None]] = {
    "false": false,
    "lost": lost,
    "duplicate": duplicate,
    "late": late,
    "stuck": stuck,
}
