"""nginx with a configuration that a test gives."""

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

# Everything nginx writes lies in @DIR@; `http` is what the test gives.
FRAME = """\
daemon off;
pid @DIR@/nginx.pid;
error_log stderr notice;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log @DIR@/access.log;
    client_body_temp_path @DIR@/body;
    proxy_temp_path @DIR@/proxy;
    fastcgi_temp_path @DIR@/fastcgi;
    uwsgi_temp_path @DIR@/uwsgi;
    scgi_temp_path @DIR@/scgi;
{http}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx; what it writes (access.log among it) lies in `directory`."""

    port: int
    directory: Path
    process: Process

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


def framed(http: str) -> str:
    """A whole nginx.conf around what belongs inside `http { }`: upstreams and servers that listen 127.0.0.1:@PORT@."""
    return FRAME.format(http=http)


@contextmanager
def running_nginx(configuration: str) -> Iterator[Nginx]:
    """Run a whole nginx.conf (see `framed`), in which @PORT@ and @DIR@ are filled in; it must say `daemon off`."""
    program = find_program("/usr/sbin/nginx", "nginx")
    port = free_port()
    with own_directory("nginx") as directory:
        # its workers, of another user when we are root, pass through to their temporary files
        directory.chmod(0o755)
        file = directory / "nginx.conf"
        file.write_text(configuration.replace("@PORT@", str(port)).replace("@DIR@", str(directory)))
        process = Process([program, "-c", file, "-p", directory, "-e", "stderr"], directory)
        with stopped_at_the_end(process):
            process.wait_until(lambda: listens(port), 10)
            yield Nginx(port, directory, process)
