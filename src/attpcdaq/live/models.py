"""Last seen state and events; written only through live/store."""

from django.db import models

from attpcdaq.topology.models import DataRouter, ECCServer


class ECCState(models.Model):
    """What an ECC server last said of itself (facts 2.1); unknown is decided by age, never stored."""

    ecc_server = models.OneToOneField(ECCServer, on_delete=models.CASCADE, primary_key=True, related_name="live")
    state = models.SmallIntegerField(null=True, help_text="State number of the last answer.")
    transition = models.SmallIntegerField(default=0, help_text="Transition under way at the last answer, 0 for none.")
    since = models.DateTimeField(null=True, help_text="When it was first seen in this state.")
    problem = models.TextField(blank=True, help_text="Why the latest reading failed; empty when it did not.")
    changed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="Time of the last good answer.")

    def __str__(self) -> str:
        return f"{self.ecc_server}: {self.state}"


class RouterState(models.Model):
    """What a data router's node last said of it."""

    data_router = models.OneToOneField(DataRouter, on_delete=models.CASCADE, primary_key=True, related_name="live")
    online = models.BooleanField(null=True, help_text="Its process was seen.")
    pid = models.PositiveIntegerField(null=True, help_text="Process number when it was last seen online.")
    restarted_at = models.DateTimeField(
        null=True, help_text="When another process was first seen in its place (facts 4)."
    )
    files = models.PositiveIntegerField(default=0, help_text="GRAW files in the staging directory.")
    bytes = models.PositiveBigIntegerField(default=0, help_text="Their size together.")
    rate = models.FloatField(default=0.0, help_text="Bytes per second over the last two readings.")
    last_event = models.PositiveBigIntegerField(null=True, help_text="Event number of the last frame on disk.")
    disk_free = models.PositiveBigIntegerField(null=True, help_text="Bytes free where the staging directory lies.")
    disk_total = models.PositiveBigIntegerField(null=True)
    grew_at = models.DateTimeField(null=True, help_text="When its bytes were last seen to grow.")
    problem = models.TextField(blank=True)
    changed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.data_router}: {self.files} files"


class MonitorBeat(models.Model):
    """One row: that the monitor is alive."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.at)


class Severity(models.TextChoices):
    INFO = "info", "Information"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class Event(models.Model):
    """Something that changed; its id is the event stream's Last-Event-ID."""

    at = models.DateTimeField(db_index=True)
    topic = models.CharField(
        max_length=12, help_text="ecc, router, command, run, setup: which parts of a page it concerns."
    )
    severity = models.CharField(max_length=7, choices=Severity, default=Severity.INFO)
    subject = models.CharField(max_length=80, blank=True, help_text="The server, router, run or user it is about.")
    text = models.TextField(blank=True, help_text="What the crew reads; empty for changes that only refresh a page.")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}: {self.text}"
