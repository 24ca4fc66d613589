"""What the data routers were seen with during a run, for programs."""

from itertools import groupby

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Path, Query
from pydantic import Field

from attpcdaq.live.models import RouterSample
from attpcdaq.live.samples import Point, points
from attpcdaq.runlog.listing import find_run
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.rates import of_run_samples

router = Router(tags=["samples"])
NOT_FOUND = {401: schemas.Problem, 404: schemas.Problem, 422: schemas.WrongInput}
# So many lines a program takes in one answer; they are a few megabytes.
MOST_LINES = 20_000
Step = Query(60, ge=2, le=86400, description="Seconds that are averaged into one line.")


class SampleOut(Schema):
    """A step of time that ends at `at`, of which `seconds` were seen: mean rates, highest counts, least free space."""

    at: schemas.Moment
    seconds: int
    files: int = Field(description="In the staging directory.")
    bytes: int
    rate: float = Field(description="Bytes per second.")
    event: int | None = Field(description="The last event number.")
    event_rate: float = Field(description="Events per second.")
    disk_free: int | None


class RouterSamplesOut(Schema):
    data_router: str
    node: str
    samples: list[SampleOut]


class SamplesOut(Schema):
    step: int = Field(description="Seconds of one line; longer than asked for where the answer would be too long.")
    data_routers: list[RouterSamplesOut]


@router.get(
    "/runs/{experiment}/{number}/samples",
    response={200: SamplesOut, **NOT_FOUND},
    summary="Rates, events and disks during a run",
)
def samples_of_run(
    request: HttpRequest,
    experiment: str = Path(..., max_length=64),
    number: int = Path(..., ge=1),
    step: int = Step,
) -> SamplesOut:
    """Every 2 s while it is young; old ones are thinned out, to 10 minutes after two days, and averages stay right."""
    step, found = fitting(of_run_samples(find_run(experiment, number)), step)
    grouped = groupby(found, lambda point: (point.router, point.node))
    return SamplesOut(
        step=step,
        data_routers=[
            RouterSamplesOut(data_router=name, node=node, samples=[SampleOut.from_orm(point) for point in each])
            for (name, node), each in grouped
        ],
    )


def fitting(seen: "QuerySet[RouterSample]", step: int, most: int = MOST_LINES) -> tuple[int, list[Point]]:
    """At most so many points, and the step they have: that asked for, or doubled as often as it takes."""
    found = points(seen, step)
    while len(found) > most:
        step *= 2
        found = points(seen, step)
    return step, found
