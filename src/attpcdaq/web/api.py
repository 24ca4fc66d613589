"""The HTTP API: status, commands, runs. Every answer is JSON, errors too."""

from django.http import HttpRequest

from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.accounts_api import router as accounts_router
from attpcdaq.web.api_auth import READ, requester
from attpcdaq.web.api_commands import router
from attpcdaq.web.api_errors import JsonApi
from attpcdaq.web.api_status_schemas import StatusOut
from attpcdaq.web.audit_api import router as audit_router
from attpcdaq.web.config_api import router as config_router
from attpcdaq.web.control_api import router as control_router
from attpcdaq.web.event_api import router as event_router
from attpcdaq.web.experiments_api import router as experiments_router
from attpcdaq.web.host_key_api import router as host_key_router
from attpcdaq.web.log_api import router as log_router
from attpcdaq.web.log_book_api import router as log_book_router
from attpcdaq.web.manifest_api import router as manifest_router
from attpcdaq.web.observables_api import router as observables_router
from attpcdaq.web.roles import as_seen_by
from attpcdaq.web.runs_api import router as runs_router
from attpcdaq.web.samples_api import router as samples_router
from attpcdaq.web.setup_api import router as setup_router
from attpcdaq.web.setup_tests_api import router as setup_tests_router
from attpcdaq.web.sheets_api import router as sheets_router
from attpcdaq.web.shifts_api import router as shifts_router

api = JsonApi(
    title="AT-TPC DAQ",
    version="1",
    description="Status, commands and runs of the AT-TPC's data acquisition. "
    "Send `Authorization: Bearer TOKEN`; `manage.py token create NAME` makes one.",
    urls_namespace="api",
    auth=READ,
)
api.add_router("", router)
api.add_router("", control_router)
api.add_router("", accounts_router)
api.add_router("", audit_router)
api.add_router("", event_router)
api.add_router("", log_router)
api.add_router("", runs_router)
api.add_router("", sheets_router)
api.add_router("", observables_router)
api.add_router("", experiments_router)
api.add_router("", manifest_router)
api.add_router("", setup_router)
api.add_router("", setup_tests_router)
api.add_router("", config_router)
api.add_router("", host_key_router)
api.add_router("", samples_router)
api.add_router("", shifts_router)
api.add_router("", log_book_router)
UNAUTHORIZED = {401: schemas.Problem}


@api.get("/status", response={200: StatusOut, **UNAUTHORIZED}, summary="The whole status at this moment")
def status(request: HttpRequest) -> Snapshot:
    return as_seen_by(requester(request), snapshot())
