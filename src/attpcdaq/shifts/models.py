"""Shifts, what the crew writes beside the run sheets, and why no data were taken."""

from django.db import models
from django.db.models import Case, F, Q, Value, When

from attpcdaq.runlog.models import Experiment, Run


class Shift(models.Model):
    """A crew at the desk from one moment to another; at most one is on now."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, null=True, related_name="shifts")
    crew = models.CharField(max_length=200, help_text="Who is at the desk, as they call themselves.")
    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    checks = models.JSONField(default=dict, help_text="Item of the checklist -> ok, text, by and at.")
    hand_over = models.TextField(blank=True, help_text="What the next crew has to know.")
    problems = models.JSONField(default=list, help_text="What was not in order when it ended: level, text, anchor.")

    class Meta:
        ordering = ("-began_at", "-id")
        constraints = [
            # NULLs are distinct: of those that have not ended there is one.
            models.UniqueConstraint(Case(When(ended_at__isnull=True, then=Value(1))), name="one_shift_now"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")), name="shift_begins_before_it_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"shift of {self.crew} from {self.began_at:%Y-%m-%d %H:%M}"


class Note(models.Model):
    """A free note of the crew, on a run or a shift; added, never changed: a correction is another note."""

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150)
    text = models.TextField()
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="crew_notes")
    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, null=True, blank=True, related_name="crew_notes")

    class Meta:
        ordering = ("at", "id")
        constraints = [
            models.CheckConstraint(condition=Q(run__isnull=False) | Q(shift__isnull=False), name="note_on_something")
        ]

    def __str__(self) -> str:
        return f"{self.by}: {self.text[:60]}"


class LossCause(models.TextChoices):
    """Why no data were taken, as beam times are accounted for."""

    BEAM = "beam", "No beam"
    DETECTOR = "detector", "Detector, gas or high voltage"
    DAQ = "daq", "Data acquisition"
    OTHER_DAQ = "other_daq", "Another system (FRIBDAQ, trigger, ...)"
    ACCESS = "access", "Access to the vault"
    TUNING = "tuning", "Set-up and tuning"
    PLANNED = "planned", "Planned pause"
    OTHER = "other", "Other"


class Gap(models.Model):
    """What the crew says of the time between a run and the next one (`after` empty: before the first run)."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="gaps")
    after = models.OneToOneField(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="gap_after")
    cause = models.CharField(max_length=9, choices=LossCause)
    comment = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment"], condition=Q(after__isnull=True), name="one_gap_before_the_first_run"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cause} after {self.after or 'the beginning'}"
