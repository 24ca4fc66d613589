"""Last seen state and events; written only through live/store."""

from django.db import models
from django.db.models import Case, Q, Value, When

from attpcdaq.topology.models import ConfigBlob, ConfigKind, ConfigSource, DataRouter, ECCServer, Node


class ECCState(models.Model):
    """What an ECC server last said of itself (facts 2.1); unknown is decided by age, never stored."""

    ecc_server = models.OneToOneField(ECCServer, on_delete=models.CASCADE, primary_key=True, related_name="live")
    state = models.SmallIntegerField(null=True, help_text="State number of the last answer.")
    transition = models.SmallIntegerField(default=0, help_text="Transition under way at the last answer, 0 for none.")
    since = models.DateTimeField(null=True, help_text="When it was first seen in this state.")
    ran_until = models.DateTimeField(null=True, help_text="When it was last seen Running, before this state.")
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
    smooth_rate = models.FloatField(default=0.0, help_text="The same, smoothed over half a minute.")
    last_event = models.PositiveBigIntegerField(null=True, help_text="Event number of the last frame on disk.")
    event_rate = models.FloatField(default=0.0, help_text="Events per second over the last two readings.")
    hears = models.BooleanField(
        null=True, help_text="Its process listens on the data port or is connected; null when nobody can tell."
    )
    disk_free = models.PositiveBigIntegerField(null=True, help_text="Bytes free where the staging directory lies.")
    disk_total = models.PositiveBigIntegerField(null=True)
    grew_at = models.DateTimeField(null=True, help_text="When its bytes were last seen to grow.")
    problem = models.TextField(blank=True)
    changed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.data_router}: {self.files} files"


class RouterSample(models.Model):
    """What a data router was seen with at one moment of a run; thinned out with age."""

    router = models.CharField(max_length=63)
    node = models.CharField(max_length=63)
    run_id = models.PositiveBigIntegerField(null=True, help_text="Row of the run that was open.")
    at = models.DateTimeField()
    seconds = models.PositiveSmallIntegerField(
        help_text="It stands for so long before `at`; grows when samples are thinned."
    )
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    rate = models.FloatField(help_text="Bytes per second.")
    event = models.PositiveBigIntegerField(null=True)
    event_rate = models.FloatField(help_text="Events per second.")
    disk_free = models.PositiveBigIntegerField(null=True)
    level = models.PositiveSmallIntegerField(default=0, help_text="How often it was thinned out (live/thinning).")

    class Meta:
        ordering = ("at",)
        indexes = [
            models.Index(fields=["run_id", "router", "at"], name="sample_of_run"),
            models.Index(fields=["level", "at"], name="sample_age"),
        ]

    def __str__(self) -> str:
        return f"{self.router} {self.at}: {self.rate:.0f} B/s"


class NodeState(models.Model):
    """What is known of a node itself."""

    node = models.OneToOneField(Node, on_delete=models.CASCADE, primary_key=True, related_name="live")
    clock_offset = models.FloatField(null=True, help_text="Seconds that its clock is ahead of ours.")
    clock_error = models.FloatField(null=True, help_text="Seconds by which that may be wrong.")
    utc_offset = models.IntegerField(null=True, help_text="Minutes that its local time is ahead of UTC.")
    clock_at = models.DateTimeField(null=True)
    stepped_at = models.DateTimeField(null=True, help_text="When its clock, or its local time, was last seen to jump.")
    clock_off = models.BooleanField(default=False, help_text="It was seen to be off, and not seen to be right since.")
    problem = models.TextField(blank=True, help_text="Why its clock could not be read.")

    def __str__(self) -> str:
        return f"{self.node}: {self.clock_offset} s"


class UsedConfig(models.Model):
    """A configuration that an ECC server has in use: the file as it was then, or what the server said it loaded."""

    ecc_server = models.ForeignKey(ECCServer, on_delete=models.CASCADE, related_name="used_configs")
    kind = models.CharField(max_length=9, choices=ConfigKind)
    source = models.CharField(max_length=6, choices=ConfigSource)
    name = models.CharField(max_length=200, help_text="As in the config set, or the id in the answer.")
    path = models.CharField(max_length=500, blank=True)
    blob = models.ForeignKey(ConfigBlob, on_delete=models.PROTECT, null=True, related_name="+")
    modified = models.FloatField(null=True, help_text="The file's time on the node, seconds since the epoch.")
    problem = models.TextField(blank=True, help_text="Why it could not be read.")
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ("ecc_server", "kind", "name", "source")
        # One ECC server may drive boards with several hardware descriptions.
        constraints = [
            models.UniqueConstraint(fields=["ecc_server", "kind", "source", "name"], name="used_config_once")
        ]

    def __str__(self) -> str:
        return f"{self.ecc_server} {self.kind} {self.name}"


class DiskConfig(models.Model):
    """A configuration file as it lies on the node now, where an ECC server has it in use or chosen."""

    ecc_server = models.ForeignKey(ECCServer, on_delete=models.CASCADE, related_name="disk_configs")
    kind = models.CharField(max_length=9, choices=ConfigKind)
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=500)
    blob = models.ForeignKey(ConfigBlob, on_delete=models.PROTECT, null=True, related_name="+")
    size = models.PositiveBigIntegerField(null=True)
    modified = models.FloatField(null=True)
    problem = models.TextField(blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("ecc_server", "kind", "name")
        constraints = [models.UniqueConstraint(fields=["ecc_server", "kind", "name"], name="disk_config_once")]

    def __str__(self) -> str:
        return f"{self.ecc_server} {self.path}"


class MonitorLease(models.Model):
    """One row, written only through live/lease: which monitor may write, and when it last wrote what it saw."""

    holder = models.CharField(max_length=200, help_text="Names one process for its lifetime; empty: given back.")
    host = models.CharField(max_length=100)
    term = models.PositiveBigIntegerField(default=0, help_text="Counts the changes of holder.")
    until = models.DateTimeField(help_text="When somebody else may take it, by the database's clock.")
    at = models.DateTimeField(null=True, help_text="When what was seen was last written, by the monitor's clock.")

    def __str__(self) -> str:
        return f"{self.host} (term {self.term})"


class ServiceBeat(models.Model):
    """One process of the product, as it last said that it is at work."""

    service = models.CharField(max_length=20, help_text="web, events, celery-control, celery-files, monitor.")
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    at = models.DateTimeField(help_text="By the database's clock.")
    skew = models.FloatField(help_text="Seconds by which the host's clock is ahead of the database's.")
    numbers = models.JSONField(default=dict, help_text="What it counts: name to number.")

    class Meta:
        ordering = ("service", "host")
        constraints = [models.UniqueConstraint(fields=["service", "host"], name="service_beat_once")]

    def __str__(self) -> str:
        return f"{self.service} on {self.host}"


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
    acknowledged_at = models.DateTimeField(null=True, blank=True, help_text="Somebody has taken note of it.")
    acknowledged_by = models.CharField(max_length=150, blank=True, db_default="")

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(
                fields=["-id"],
                condition=Q(acknowledged_at__isnull=True, severity__in=("warning", "error")),
                name="event_not_acknowledged",
            ),
            models.Index(fields=["subject", "-id"], name="event_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}: {self.text}"


class Spell(models.Model):
    """How the whole detector was, from one moment to another: what running and lost time are counted from."""

    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="It was last seen so; what lies between two spells was seen by nobody.")
    ended_at = models.DateTimeField(null=True, blank=True)
    level = models.CharField(max_length=4, help_text="ok, busy, bad or off, as the bar of the status page.")
    title = models.CharField(max_length=200)
    causes = models.JSONField(default=list, help_text="What was wrong: key and title of each trouble.")
    run_id = models.PositiveBigIntegerField(null=True, help_text="Row of the run that was open.")

    class Meta:
        ordering = ("began_at", "id")
        constraints = [
            # NULLs are distinct: of those that have not ended there is one.
            models.UniqueConstraint(Case(When(ended_at__isnull=True, then=Value(1))), name="one_spell_now"),
        ]
        indexes = [models.Index(fields=["ended_at"], name="spell_end")]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M:%S} {self.title}"


class LogKind(models.TextChoices):
    ECC = "ecc", "ECC server"
    ROUTER = "router", "Data router"


class LogTail(models.Model):
    """The end of a log file on a node, read by the monitor while somebody looks at it."""

    kind = models.CharField(max_length=6, choices=LogKind)
    name = models.CharField(max_length=63, help_text="Of the ECC server or data router.")
    wanted_until = models.DateTimeField(help_text="Somebody looks at it until then, by the database's clock.")
    path = models.CharField(max_length=255, blank=True)
    data = models.BinaryField(default=b"", help_text="Its last bytes, as they are.")
    size = models.PositiveBigIntegerField(default=0, help_text="Of the whole file, in bytes.")
    modified = models.FloatField(null=True, help_text="The file's time on the node, seconds since the epoch.")
    problem = models.TextField(blank=True, help_text="Why it could not be read.")
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="log_tail_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
