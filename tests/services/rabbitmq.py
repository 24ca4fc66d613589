"""A RabbitMQ broker of our own, with its own epmd."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.processes import (
    LOOPBACK,
    Process,
    find_program,
    free_port,
    listens,
    own_directory,
    stopped_at_the_end,
)

LISTENER = f"listeners.tcp.1 = {LOOPBACK}:@PORT@\n"
CONFIGURATION = """\
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 50MB
"""
AMQP_0_9_1 = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01\x00\x00"
# one scheduler that does not spin, and the link between nodes (which we have none of) on loopback
ERLANG = "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """A running broker; its user guest may do everything, from loopback only."""

    port: int
    process: Process

    def url(self, vhost: str = "") -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/{vhost}"

    def answers(self) -> bool:
        return listens(self.port, AMQP_0_9_1, METHOD_FRAME)


def _environment(directory: Path, epmd_port: int, node_port: int) -> dict[str, str]:
    empty = directory / "empty"
    empty.write_text("")
    plugins = directory / "enabled_plugins"
    plugins.write_text("[].\n")
    return {
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_CONF_ENV_FILE": str(empty),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_NODENAME": f"attpcdaq{node_port}@localhost",
        "RABBITMQ_DIST_PORT": str(node_port),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        # lets the start script become the broker instead of waiting for it, so that its process id is ours
        "RUNNING_UNDER_SYSTEMD": "true",
    }


@contextmanager
def running_rabbitmq(listener: str = LISTENER) -> Iterator[RabbitMQ]:
    """Start epmd and the broker (5 to 15 s), configured to listen on @PORT@; stopped and deleted at the end."""
    server = find_program("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
    epmd = find_program("/usr/bin/epmd", "erlang-base")
    port, epmd_port, node_port = free_port(), free_port(), free_port()
    with own_directory("mq") as directory:
        (directory / "rabbitmq.conf").write_text(CONFIGURATION + listener.replace("@PORT@", str(port)))
        names = Process([epmd, "-address", LOOPBACK, "-port", str(epmd_port)], directory)
        with stopped_at_the_end(names):
            names.wait_until(lambda: listens(epmd_port), 10)
            process = Process([server], directory, environment=_environment(directory, epmd_port, node_port))
            with stopped_at_the_end(process):
                broker = RabbitMQ(port, process)
                process.wait_until(broker.answers if listener == LISTENER else lambda: listens(port), 90)
                yield broker
