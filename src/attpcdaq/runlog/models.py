"""Experiments, runs and run sheets."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When

from attpcdaq.topology.models import ConfigBlob, ConfigKind, ConfigSource

EXPERIMENT_NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
    "Use 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first: it becomes a directory name.",
)


class RunClass(models.TextChoices):
    TESTING = "testing", "Testing"
    PRODUCTION = "production", "Production"
    BEAM = "beam", "Beam"
    PULSER = "pulser", "Pulser"
    JUNK = "junk", "Junk"


class RunState(models.TextChoices):
    """requested -> starting -> running -> stopping -> closing -> closed, or failed."""

    REQUESTED = "requested", "Requested"
    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    STOPPING = "stopping", "Stopping"
    CLOSING = "closing", "Closing"
    CLOSED = "closed", "Closed"
    FAILED = "failed", "Failed"


OPEN_STATES = (RunState.REQUESTED, RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.CLOSING)


class Experiment(models.Model):
    """A beam time. Its name may be changed; the directory of its data stays from the first run on. One is active."""

    name = models.CharField(max_length=64, unique=True, validators=[EXPERIMENT_NAME])
    directory = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Where its data lie: the name that it had at its first run."
    )
    is_active = models.BooleanField(default=False)
    last_run_number = models.PositiveIntegerField(default=0, help_text="The last number given out; never goes back.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=["is_active"], condition=Q(is_active=True), name="one_active_experiment"),
            models.UniqueConstraint(fields=["directory"], condition=~Q(directory=""), name="experiment_directory_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def data_directory(self) -> str:
        """Its directory below every staging directory; before the first run the name may still be changed."""
        return self.directory or self.name


class Run(models.Model):
    """Data taking between one Start and one Stop."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    run_class = models.CharField(max_length=10, choices=RunClass, default=RunClass.TESTING)
    state = models.CharField(max_length=9, choices=RunState, default=RunState.REQUESTED)
    verdict = models.TextField(blank=True, help_text="What went wrong, when something did.")
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True, help_text="When all boards were seen Running.")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When all boards were seen stopped.")
    closed_at = models.DateTimeField(null=True, blank=True)
    files_asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker was last told to move its files."
    )
    quiet = models.JSONField(
        default=dict, help_text="Staging directory -> what it held when it was seen quiet, and when."
    )
    files_moving_at = models.DateTimeField(null=True, blank=True, help_text="When one last said that it is at it.")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    configuration = models.JSONField(
        default=dict, help_text="ECC server -> its boards and config set when the run was requested."
    )
    excluded = models.JSONField(
        default=dict, help_text="ECC server -> reason, by and at, of every one that the run went on without."
    )
    adopted = models.BooleanField(default=False, help_text="Its boards were found Running while no run was open.")
    notes = models.TextField(blank=True)
    data_files = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many data files it has (runlog/run_files counts)."
    )
    data_bytes = models.PositiveBigIntegerField(default=0, db_default=0, help_text="And how large they are together.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="run_number_once"),
            # NULLs are distinct, so only open runs collide: there is one detector.
            models.UniqueConstraint(Case(When(state__in=OPEN_STATES, then=Value(1))), name="one_open_run"),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | Q(started_at__isnull=True) | Q(stopped_at__gt=F("started_at")),
                name="run_starts_before_it_stops",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment} run {self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def directory(self) -> str:
        """Where its files lie below every staging directory."""
        return f"{self.experiment.data_directory}/run_{self.number:04d}"


class RunFile(models.Model):
    """A data or config file of a run where close-out put it."""

    class Kind(models.TextChoices):
        DATA = "data", "Data"
        CONFIG = "config", "Configuration"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=6, choices=Kind)
    node = models.CharField(max_length=63)
    owner = models.CharField(max_length=63, help_text="The data router or ECC server it came from.")
    path = models.CharField(max_length=500)
    size = models.PositiveBigIntegerField()
    name = models.CharField(max_length=255, blank=True, help_text="Its name in the staging directory.")
    staging = models.CharField(max_length=255, blank=True, help_text="The staging directory it came from.")
    planned = models.BooleanField(default=False, help_text="It is about to be moved there, or was just then.")
    proof = models.TextField(blank=True, help_text="Why it belongs to this run.")
    modified = models.FloatField(null=True, help_text="Its time on the node, seconds since the epoch.")
    sha256 = models.CharField(max_length=64, blank=True)
    frames = models.PositiveBigIntegerField(null=True)
    first_event = models.PositiveBigIntegerField(null=True)
    last_event = models.PositiveBigIntegerField(null=True)
    first_time = models.PositiveBigIntegerField(null=True, help_text="Time stamp of the first frame, 10 ns ticks.")
    last_time = models.PositiveBigIntegerField(null=True)
    scan = models.JSONField(null=True, help_text="Everything the scan found (get_protocol.graw_scan).")
    scanned_at = models.DateTimeField(null=True, blank=True)
    scan_problem = models.TextField(blank=True, help_text="Why it could not be read.")

    class Meta:
        ordering = ("kind", "id")
        constraints = [models.UniqueConstraint(fields=["run", "node", "path"], name="run_file_once")]

    def __str__(self) -> str:
        return f"{self.node}:{self.path}"


class Quarantined(models.Model):
    """A file that could not be told to be any run's: kept apart on its node, never deleted."""

    node = models.CharField(max_length=63)
    owner = models.CharField(max_length=63)
    path = models.CharField(max_length=500)
    name = models.CharField(max_length=255, help_text="Its name in the staging directory.")
    size = models.PositiveBigIntegerField()
    why = models.TextField(help_text="What could not be told, and between which runs.")
    planned = models.BooleanField(default=False, help_text="It is about to be moved there, or was just then.")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["node", "path"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.node}:{self.path}"


class Manifest(models.Model):
    """What is proven of a run's data; made in the background after the run is closed."""

    class Verdict(models.TextChoices):
        COMPLETE = "complete", "Complete"
        REMARKS = "remarks", "Complete with remarks"
        INCOMPLETE = "incomplete", "Incomplete"
        NOT_PROVEN = "not_proven", "Not proven"

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="manifest")
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True, help_text="Empty until it is made.")
    reasons = models.JSONField(default=list, help_text="Sentences: why it is not simply complete.")
    sources = models.JSONField(default=list, help_text="Per CoBo and AsAd: frames, events, gaps, lag.")
    written = models.JSONField(default=dict, help_text="Node -> where its JSON file lies, or why there is none.")
    asked_at = models.DateTimeField(help_text="When files were last added, so that it had to be made (anew).")
    working_at = models.DateTimeField(null=True, blank=True, help_text="Somebody at work on it was alive.")
    made_at = models.DateTimeField(null=True, blank=True)
    again_at = models.DateTimeField(
        null=True, blank=True, help_text="When it is tried again: a node could not be reached."
    )

    class Meta:
        constraints = [
            # NULLs are distinct: whoever checks files leaves the others' turn to come.
            models.UniqueConstraint(Case(When(working_at__isnull=False, then=Value(1))), name="one_manifest_at_work"),
        ]
        # Whether one is to be made is asked twice a second, and the rows are large.
        indexes = [models.Index(fields=["working_at", "made_at", "again_at", "run"], name="manifest_due")]

    def __str__(self) -> str:
        return f"{self.run}: {self.verdict or 'being checked'}"


class RunConfig(models.Model):
    """A configuration as it was for a run: the file's bytes, and what the ECC server loaded of it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="configs")
    server = models.CharField(max_length=63)
    kind = models.CharField(max_length=9, choices=ConfigKind)
    source = models.CharField(max_length=6, choices=ConfigSource)
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=500, blank=True)
    blob = models.ForeignKey(ConfigBlob, on_delete=models.PROTECT, null=True, related_name="+")
    problem = models.TextField(blank=True)
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ("server", "kind", "name", "source")
        constraints = [
            models.UniqueConstraint(fields=["run", "server", "kind", "source", "name"], name="run_config_once")
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.server} {self.kind}"


class ValueType(models.TextChoices):
    INTEGER = "integer", "Integer"
    NUMBER = "number", "Number"
    TEXT = "text", "Text"


class Observable(models.Model):
    """A quantity that the crew records for each run of an experiment."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="observables")
    name = models.CharField(max_length=63)
    value_type = models.CharField(max_length=7, choices=ValueType, default=ValueType.NUMBER)
    unit = models.CharField(max_length=24, blank=True)
    comment = models.CharField(max_length=200, blank=True)
    required = models.BooleanField(default=False, help_text="A sheet without it is said to be incomplete.")
    required_since = models.DateTimeField(
        null=True, blank=True, help_text="Runs that were over before are not incomplete without it."
    )
    minimum = models.FloatField(null=True, blank=True, help_text="Smallest value allowed; numbers only.")
    maximum = models.FloatField(null=True, blank=True, help_text="Largest value allowed; numbers only.")
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Not asked for since; its values stay.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = [models.UniqueConstraint(fields=["experiment", "name"], name="observable_once")]

    def __str__(self) -> str:
        return f"{self.name} [{self.unit}]" if self.unit else self.name


class Measurement(models.Model):
    """An observable's value for one run, as written by the crew (its text fits the observable's type)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="measurements")
    observable = models.ForeignKey(Observable, on_delete=models.CASCADE, related_name="measurements")
    value = models.CharField(max_length=200)

    class Meta:
        ordering = ("observable__position", "id")
        constraints = [models.UniqueConstraint(fields=["run", "observable"], name="measurement_once")]

    def __str__(self) -> str:
        return f"{self.observable.name} = {self.value}"


class SheetChange(models.Model):
    """A field of a run sheet that somebody changed: added, never changed; what a run's page shows as its history."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="sheet_changes")
    at = models.DateTimeField()
    who = models.CharField(max_length=150)
    field = models.CharField(max_length=80, help_text="title, run_class, notes, or the observable's name.")
    was = models.TextField(blank=True)
    now = models.TextField(blank=True)
    late = models.BooleanField(default=False, help_text="The run was over then.")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.run} {self.field}"
