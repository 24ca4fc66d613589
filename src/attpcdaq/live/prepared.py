"""Questions that are asked all the time: their SQL is worked out once.

For a question with many parts Django takes longer to write the SQL than the database to answer it.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Prepared:
    """The rows of a `values_list` of numbers and texts, whose conditions never change.

    Numbers and texts only: other columns come from the database as it keeps them.
    """

    def __init__(self, question: Callable[[], QuerySet[Any, Any]]) -> None:
        self._question = question
        self._sql: tuple[str, tuple[Any, ...]] | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """Asked anew each time."""
        if self._sql is None:
            self._sql = self._question().query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(*self._sql)
            return list(cursor.fetchall())
