"""Who did what, when, from where, and what came of it: lines are added, never changed."""

from typing import Any, NoReturn

from django.db import models


class Outcome(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Trail(models.QuerySet["Entry"]):
    """Lines are added one by one; nothing of them is changed in bulk either (PostgreSQL refuses it itself)."""

    def update(self, **fields: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()


class Entry(models.Model):
    """One line of the audit trail; what came of a command is a line of its own with the same `command`."""

    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=150)
    role = models.CharField(max_length=10, blank=True)
    origin = models.CharField(max_length=100, blank=True, help_text="An address, a token, or the DAQ itself.")
    what = models.CharField(max_length=40, help_text="The command or change: start, exclude, run sheet, log-in, ...")
    subject = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome)
    text = models.TextField(blank=True, help_text="Reasons of a refusal, old and new values of a change.")
    command = models.UUIDField(null=True, db_index=True, help_text="The command or restart it is about.")
    # The database's default: who adds a line without knowing of it may.
    request_id = models.CharField(
        max_length=64, blank=True, db_default="", help_text="The click that led to it, as in the logs."
    )

    objects = Trail.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who}: {self.what} {self.subject} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise TypeError("the audit trail is append-only: add another entry")
