"""Connection tests and the choice of configurations over the API."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.params.functions import Query

from attpcdaq.runcontrol.asking import configs, connection_tests
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.models import ConnectionTest
from attpcdaq.runcontrol.publish import publish_fetch
from attpcdaq.runcontrol.seeing.config_choices import Choice, ServerChoices, server_choices
from attpcdaq.runcontrol.seeing.connection_tests import TrialView, view_of
from attpcdaq.topology import setup_store
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.setup_edit import find
from attpcdaq.web import setup_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, expert, operator
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_errors import WrongFieldsError
from attpcdaq.web.api_schemas import Problem, WrongInput
from attpcdaq.web.setup_api import answered

router = Router(tags=["setup"])
NOT_FOUND = {404: Problem, 422: WrongInput, **UNAUTHORIZED}


@router.post("/connection-tests", auth=TOKEN, response={202: schemas.TestOut, **ORDERED}, summary="Try a connection")
def try_connection(request: HttpRequest, trial: schemas.TestIn) -> Status[TrialView]:
    """For experts. 202: a worker tries it within seconds; GET tells what came of it. Nothing is changed."""
    by, setup, now = expert(request), setup_store.read(), timezone.now()
    row = trial.row.keys() | {"name": trial.name} if trial.row is not None else None
    if row is None:
        entry = find(setup, connection_tests.KINDS[trial.kind], trial.name)
        if entry is None:
            raise BadCommand("name", f"there is no {trial.kind} {trial.name!r} in the setup; send its keys as `row`.")
        row = connection_tests.row_to_try(entry)
    test = connection_tests.request_test(trial.kind, row, setup, by, now)
    return Status(HTTPStatus.ACCEPTED, view_of(test, now))


@router.get(
    "/connection-tests/{test_id}", response={200: schemas.TestOut, **NOT_FOUND}, summary="What came of trying it"
)
def connection_test(request: HttpRequest, test_id: UUID) -> TrialView:
    found = ConnectionTest.objects.filter(pk=test_id).first()
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no connection test {test_id} (any more).")
    return view_of(found, timezone.now())


@router.get(
    "/configurations/choices",
    response={200: list[schemas.ServerChoicesOut], **NOT_FOUND},
    summary="Which configurations fit each ECC server",
)
def choices(
    request: HttpRequest, ecc_server: str | None = Query(None, max_length=63)
) -> list[schemas.ServerChoicesOut]:
    """With who else uses each, and in which runs it was used."""
    found = server_choices(None if ecc_server is None else [ecc_server], with_runs=True)
    if ecc_server is not None and not found:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no ECC server {ecc_server!r}.")
    return [_choices_out(one) for one in found]


@router.post(
    "/configurations/choose", auth=TOKEN, response={200: schemas.ChosenOut, **ORDERED}, summary="Choose configurations"
)
def choose(request: HttpRequest, choice: schemas.ChooseIn) -> schemas.ChosenOut:
    """One ECC server's by all three names, or Prepare and Configure names wherever they fit."""
    by = operator(request)
    if choice.ecc_server is None and choice.describe is not None:
        raise BadCommand("describe", "goes with ecc_server only: for all, each server keeps its own.")
    with answered():
        try:
            if choice.ecc_server is None:
                changed, without = configs.choose_everywhere(choice.prepare, choice.configure, by)
                return schemas.ChosenOut(changed=changed, without=list(without))
            changed = configs.choose({_server(choice.ecc_server).pk: _named(choice)}, by)
        except ValueError as error:
            if isinstance(error, BadCommand | WrongFieldsError):
                raise
            raise WrongFieldsError({"configure": str(error)}) from None
    return schemas.ChosenOut(changed=changed, without=[])


@router.post(
    "/configurations/fetch",
    auth=TOKEN,
    response={202: list[schemas.ServerChoicesOut], **ORDERED},
    summary="Ask ECC servers which configurations they list",
)
def fetch(request: HttpRequest, whose_lists: schemas.FetchIn) -> Status[list[schemas.ServerChoicesOut]]:
    """202: asked; what they list follows in `choices`, whose `fetched_at` tells when."""
    operator(request)
    names = whose_lists.ecc_servers
    ids = None if names is None else [_server(name).pk for name in names]
    publish_fetch(ids)
    return Status(HTTPStatus.ACCEPTED, [_choices_out(one) for one in server_choices(names)])


def _server(name: str) -> ECCServer:
    found = ECCServer.objects.filter(name=name).first() if name.isprintable() else None
    if found is None:
        known = ", ".join(ECCServer.objects.values_list("name", flat=True)) or "none"
        raise BadCommand("ecc_server", f"there is no {name[:80]!r}; known are {known}.")
    return found


def _named(choice: schemas.ChooseIn) -> int:
    if choice.describe is None:
        raise BadCommand("describe", "this is needed for one ECC server.")
    names = {"describe": choice.describe, "prepare": choice.prepare, "configure": choice.configure}
    row = configs.choices(_server(choice.ecc_server or "")).filter(**names).first()
    if row is None:
        raise WrongFieldsError({"configure": f"{choice.ecc_server} does not offer {' / '.join(names.values())}."})
    return row.pk


def _choices_out(one: ServerChoices) -> schemas.ServerChoicesOut:
    return schemas.ServerChoicesOut(
        ecc_server=one.server.name,
        describe_name=one.server.describe_name,
        fetched_at=one.server.configs_fetched_at,
        listed=one.listed,
        choices=[_choice_out(each) for each in one.choices],
    )


def _choice_out(choice: Choice) -> schemas.ChoiceOut:
    experiment, number = choice.used.last or (None, None)
    return schemas.ChoiceOut(
        **{key: getattr(choice.row, key) for key in ("describe", "prepare", "configure", "listed")},
        chosen=choice.is_chosen,
        others=list(choice.others),
        runs=choice.used.runs,
        last_experiment=experiment,
        last_run=number,
    )
