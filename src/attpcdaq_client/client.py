"""The API as one object."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType

import httpx

from attpcdaq_client.areas.accounts import Accounts
from attpcdaq_client.areas.audit import Audit
from attpcdaq_client.areas.configs import Configs
from attpcdaq_client.areas.events import Events
from attpcdaq_client.areas.hosts import Hosts
from attpcdaq_client.areas.orders import Orders
from attpcdaq_client.areas.runs import Runs
from attpcdaq_client.areas.setup import SetupArea
from attpcdaq_client.areas.sheets import Experiments, Observables, Sheets
from attpcdaq_client.areas.shifts import Shifts
from attpcdaq_client.areas.status import StatusArea
from attpcdaq_client.connection import READ_AGAIN_AFTER, TIMEOUT, Connection


class Client:
    """`Client("http://127.0.0.1:8080", token).status.now().overall.title`; every method may raise a DaqError."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        ca: str = "",
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        read_again_after: Sequence[float] = READ_AGAIN_AFTER,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """As Connection."""
        connection = Connection(
            url, token, ca=ca, timeout=timeout, transport=transport, read_again_after=read_again_after, sleep=sleep
        )
        self.connection = connection
        self.accounts = Accounts(connection)
        self.audit = Audit(connection)
        self.configs = Configs(connection)
        self.events = Events(connection)
        self.experiments = Experiments(connection)
        self.hosts = Hosts(connection)
        self.observables = Observables(connection)
        self.orders = Orders(connection)
        self.runs = Runs(connection)
        self.setup = SetupArea(connection)
        self.sheets = Sheets(connection)
        self.shifts = Shifts(connection)
        self.status = StatusArea(connection)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.connection.close()
