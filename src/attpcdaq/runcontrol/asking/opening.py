"""Opening a run: what its record says of the detector at that moment."""

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.models import Exclusion
from attpcdaq.runcontrol.seeing.gather import Rows, exclusion_of
from attpcdaq.runlog.lifecycle import request_run
from attpcdaq.runlog.models import Run, RunClass

TITLE_LENGTH = 200
# In a run's record: it was excluded while the run was open, and may have taken data of it before.
MEANWHILE = "meanwhile"


def check_words(title: str, run_class: str) -> None:
    """What a person may say of a run that is to begin; BadCommand."""
    if run_class and run_class not in RunClass.values:
        raise BadCommand("run_class", f"{run_class!r} is not one of {', '.join(RunClass.values)}.")
    if len(title) > TITLE_LENGTH or not title.isprintable():
        raise BadCommand("title", f"use at most {TITLE_LENGTH} printable characters.")


def new_run(rows: Rows, by: Requester, title: str, run_class: str, *, adopted: bool = False) -> Run:
    """Open the next run of the active experiment, with its configuration and who is excluded from it."""
    assert rows.experiment is not None  # refused before
    previous = Run.objects.filter(experiment=rows.experiment).first()
    return request_run(
        rows.experiment,
        title=title,
        run_class=run_class or (previous.run_class if previous else RunClass.TESTING),
        operator=by.user,
        configuration=_configuration(rows),
        excluded={server.name: excluded_words(out) for server in rows.servers if (out := exclusion_of(server))},
        adopted=adopted,
        now=rows.now,
    )


def _configuration(rows: Rows) -> dict[str, dict[str, object]]:
    return {
        server.name: {
            "boards": {source.sender_id: source.role for source in server.data_sources.all()},
            "config": str(server.config_set) if server.config_set else "",
        }
        for server in rows.servers
    }


def excluded_words(exclusion: Exclusion) -> dict[str, str]:
    """An exclusion as a run's record keeps it."""
    return {"reason": exclusion.reason, "by": exclusion.by, "at": exclusion.at.isoformat()}


def out_throughout(run: Run) -> set[str]:
    """The ECC servers that a run went on without from its request on."""
    return {name for name, out in run.excluded.items() if MEANWHILE not in out and "included_at" not in out}
