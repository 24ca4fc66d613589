"""Whether the tables of the database are those that this program knows: processes start in any order."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from django.apps import apps
from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder

from attpcdaq.config.version import VERSION
from attpcdaq.live import database_troubles

logger = logging.getLogger(__name__)
LOOK_EVERY = 1.0
GOOD_FOR = 30.0
Name = tuple[str, str]


@lru_cache(maxsize=1)
def known() -> frozenset[Name]:
    """Every migration that this program brings, by application and name; none of them is loaded."""
    found: set[Name] = set()
    for each in apps.get_app_configs():
        try:
            package = import_module(f"{each.name}.migrations")
        except ModuleNotFoundError:
            continue
        names = (module.name for module in iter_modules(package.__path__))
        found |= {(each.label, name) for name in names if name[0] not in "_~"}
    return frozenset(found)


def judge(applied: frozenset[Name], ours: frozenset[Name], labels: frozenset[str]) -> str:
    """Why the program must not work with a database with `applied` migrations; empty when it may.

    What other applications than ours have beside what we know may come of an older version of them, and does no harm.
    """
    missing = ours - applied
    if missing:
        which = "has no tables yet" if not applied else f"is not migrated ({len(missing)} to do)"
        return f"The database {which}: run manage.py migrate."
    newer = sorted(name for name in applied - ours if name[0] in labels)
    if newer:
        app, name = newer[-1]
        return (
            f"The database is newer than this program ({VERSION}), which does not know {app} {name}: "
            "start the newer version again, or restore the backup that was made before."
        )
    return ""


def look() -> str:
    """The same of the database of this process, in two queries. DatabaseError when it is away."""
    with connection.cursor() as cursor:
        if MigrationRecorder.Migration._meta.db_table not in connection.introspection.table_names(cursor):
            return judge(frozenset(), known(), frozenset())
    applied = MigrationRecorder(connection).migration_qs.values_list("app", "name")
    labels = frozenset(each.label for each in apps.get_app_configs() if each.name.startswith("attpcdaq."))
    return judge(frozenset(applied), known(), labels)


class SchemaWatch:
    """What `look` said, looked at again after GOOD_FOR seconds where all was well, else after LOOK_EVERY."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looked: float | None = None
        self._problem = ""

    def problem(self) -> str:
        """Empty when all is well. DatabaseError when the database is away."""
        now = self._monotonic()
        due = LOOK_EVERY if self._problem else GOOD_FOR
        if self._looked is None or now - self._looked >= due:
            self._problem, self._looked = look(), now
        return self._problem

    def doubt(self) -> None:
        """A table or column was missing: look again."""
        self._looked = None


WATCH = SchemaWatch()


def wait_until_it_fits(go_on: Callable[[], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """Return when the database is there and its tables are ours; what hinders is said once, and once when it is over.

    `go_on` is called each second and raises to leave.
    """
    said: set[str] = set()
    while hindrance := _hindrance():
        kind, problem = hindrance
        if kind not in said:
            said.add(kind)
            logger.warning("waiting: %s", problem)
        go_on()
        sleep(LOOK_EVERY)
    if said:
        logger.warning("the database is there, and its tables are those of this program: going on")


def _hindrance() -> tuple[str, str] | None:
    """What kind it is, and in words."""
    try:
        problem = look()
    except Error as error:
        connection.close()
        trouble = database_troubles.recognise(error) or database_troubles.AWAY
        return trouble.key, f"{trouble.text} ({str(error).strip()})"
    return ("not-migrated", problem) if problem else None
