"""pytest plugin: the settings' environment, the tiers of tests, and one fixture for each real program.

Loaded with `-p` (pyproject.toml), because the environment must stand before pytest-django reads the settings.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

from tests.services.nginx import Nginx, running_nginx
from tests.services.postgresql import PostgreSQL, running_postgresql
from tests.services.rabbitmq import RabbitMQ, running_rabbitmq
from tests.services.sshd import Sshd, running_sshd

SERVICES = {"postgresql", "rabbitmq", "nginx", "sshd", "browser_type_launch_args"}
E2E_FOLDERS = {"e2e", "chaos", "closeout", "deploy"}
DATABASE_URL = "ATTPCDAQ_DATABASE_URL"
STARTED = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgresql", action="store_true", help="run the Django tests on a PostgreSQL server of our own, not SQLite"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set what the settings need. Workers of xdist inherit it from the first process, and with it the one server."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    stack = early_config.stash.setdefault(STARTED, ExitStack())
    early_config.add_cleanup(stack.close)
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="attpcdaq-test-"))
    os.environ["ATTPCDAQ_SECRET_KEY"] = "only for tests, " * 4
    os.environ["ATTPCDAQ_BROKER_URL"] = f"filesystem://{scratch}/broker"
    os.environ[DATABASE_URL] = f"sqlite:///{scratch}/db.sqlite3"
    if early_config.known_args_namespace.postgresql:
        os.environ[DATABASE_URL] = stack.enter_context(running_postgresql()).url("attpcdaq")


def pytest_configure() -> None:
    """Let every test client look for a static file when it is asked for one, not read about all of them beforehand.

    So does the development server; a test makes many clients, and the real server only one list.
    """
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tiers by folder and fixture, and put browser tests at the end.

    Playwright's loop stays alive in its process, and no asyncio test can run after it. xdist keeps this order and gives
    a file to one worker, so a file with browser tests has no others.
    """
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if E2E_FOLDERS & set(item.path.relative_to(item.config.rootpath).parts):
            item.add_marker("e2e")
        if used & SERVICES:
            item.add_marker("services")
    items.sort(key=lambda item: "browser_type_launch_args" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server that a test may make databases in."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ broker; use queue names of your own."""
    with running_rabbitmq() as broker:
        yield broker


@pytest.fixture
def nginx() -> Iterator[Callable[[str], Nginx]]:
    """Starts nginx with a whole configuration (tests.services.nginx.framed helps); ends with the test."""
    with ExitStack() as stack:
        yield lambda configuration: stack.enter_context(running_nginx(configuration))


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    """An OpenSSH server that lets us in with a key."""
    with running_sshd() as server:
        yield server
