"""Commands and their steps: the durable record of every operation."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When

from attpcdaq.runcontrol.planning.amounts import GB
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import DataRouter, ECCServer


class Gate(models.Model):
    """One row: who decides on a command holds it for the few milliseconds of deciding."""

    set_aside_asked_at = models.DateTimeField(null=True, help_text="Somebody wants stray files put aside.")
    set_aside_until = models.DateTimeField(null=True, help_text="They are being moved, until then at the most.")

    def __str__(self) -> str:
        return "gate"


class Action(models.TextChoices):
    DESCRIBE = "describe", "Describe"
    PREPARE = "prepare", "Prepare"
    CONFIGURE = "configure", "Configure"
    START = "start", "Start"
    STOP = "stop", "Stop"
    BREAKUP = "breakup", "Breakup"
    UNDO = "undo", "Undo"
    GO_READY = "go_ready", "Go to Ready"
    GO_IDLE = "go_idle", "Go to Idle"


class CommandState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


ACTIVE_STATES = (CommandState.QUEUED, CommandState.RUNNING)
# In alphabetical order, as migrations write it.
STOP_AT_WORK = When(action=Action.STOP, state__in=ACTIVE_STATES, superseded=False, targets__isnull=True, then=Value(1))


class Command(models.Model):
    """What a person asked for; the row is the order, the broker only wakes somebody up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(max_length=9, choices=Action)
    targets = models.JSONField(null=True, help_text="Names of ECC servers; null for the whole system.")
    state = models.CharField(max_length=7, choices=CommandState, default=CommandState.QUEUED)
    message = models.TextField(blank=True, help_text="What came of it, in words.")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="commands")
    requested_by = models.CharField(max_length=150)
    origin = models.CharField(max_length=100, blank=True, help_text="From where: an address, a token, the DAQ itself.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="The click that asked for it, as in the logs.")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Nobody may begin it after this time.")
    claim = models.UUIDField(null=True, help_text="Names one execution: who lost it writes and sends nothing more.")
    claimed_by = models.CharField(max_length=100, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="Its executor was alive.")
    published_at = models.DateTimeField(help_text="When the workers were last told of it.")
    revivals = models.PositiveSmallIntegerField(default=0, help_text="How often it was taken from a silent executor.")
    superseded = models.BooleanField(default=False, help_text="A Stop was asked for: send nothing more.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        permissions = [
            ("operate", "May operate the detector"),
            ("expert", "May set the system up and restart its parts"),
            ("administer", "May manage users and tokens"),
        ]
        constraints = [
            # A Stop takes no lock, so the database sees to it that pressing it twice is one Stop.
            models.UniqueConstraint(
                Case(STOP_AT_WORK),
                name="one_stop_at_work",
            ),
        ]
        indexes = [
            models.Index(fields=["state"], name="command_state"),
            models.Index(fields=["-requested_at"], name="command_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.id}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def opens_run(self) -> bool:
        """A Start for the whole system; a Start of single servers repairs a run."""
        return self.action == Action.START and self.targets is None


class StepState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    CONFIRMED = "confirmed", "Confirmed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    EXPIRED = "expired", "Expired"


class Step(models.Model):
    """One transition of one ECC server within a command."""

    command = models.ForeignKey(Command, on_delete=models.CASCADE, related_name="steps")
    stage = models.PositiveSmallIntegerField()
    ecc_server = models.ForeignKey(ECCServer, on_delete=models.SET_NULL, null=True, related_name="steps")
    server_name = models.CharField(max_length=63)
    transition = models.PositiveSmallIntegerField(help_text="Number of the transition (facts 2.1).")
    goal = models.PositiveSmallIntegerField(
        null=True, help_text="State it leads to: Undo leads down from two, so a call made again might go too far."
    )
    state = models.CharField(max_length=9, choices=StepState, default=StepState.WAITING)
    message = models.TextField(blank=True)
    config = models.CharField(max_length=200, blank=True, help_text="The describe, prepare or configure name it sends.")
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("stage", "id")
        constraints = [
            models.UniqueConstraint(fields=["command", "stage", "server_name"], name="step_once"),
            models.UniqueConstraint(fields=["ecc_server"], condition=Q(state="sent"), name="one_outstanding_call"),
        ]
        indexes = [
            models.Index(fields=["server_name", "-id"], name="step_latest"),
            models.Index(fields=["server_name", "transition", "-id"], name="step_latest_of_transition"),
        ]

    def __str__(self) -> str:
        return f"{self.server_name} {self.transition}: {self.state}"


class Exclusion(models.Model):
    """An ECC server, with all its boards, that the system goes on without; deleted when it is included again."""

    ecc_server = models.OneToOneField(ECCServer, on_delete=models.CASCADE, primary_key=True, related_name="exclusion")
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.ecc_server} is excluded: {self.reason}"


class Control(models.Model):
    """One row: who is in charge, and who asks to be."""

    holder = models.CharField(max_length=150, blank=True, help_text="User name; empty when nobody is in charge.")
    since = models.DateTimeField(null=True)
    asked_by = models.CharField(max_length=150, blank=True)
    asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"in charge: {self.holder or 'nobody'}"


class Preferences(models.Model):
    """One row: how the crew wants its runs to be started."""

    reconfigure_mutant = models.BooleanField(
        default=False, help_text="Breakup and Configure the MuTAnT before each Start: its counters begin anew."
    )

    min_free_gb = models.FloatField(
        default=2.0, help_text="No run starts with less free on a disk that data go to, in 10^9 bytes; 0: no limit."
    )

    def __str__(self) -> str:
        return f"re-configure the MuTAnT: {self.reconfigure_mutant}, {self.min_free_gb} GB free"

    @property
    def min_free(self) -> int:
        """The limit in bytes."""
        return int(self.min_free_gb * GB)


class Restart(models.Model):
    """An ECC server or data router restarted over SSH; exactly one of the two is named."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ecc_server = models.ForeignKey(ECCServer, on_delete=models.SET_NULL, null=True, related_name="restarts")
    data_router = models.ForeignKey(DataRouter, on_delete=models.SET_NULL, null=True, related_name="restarts")
    subject = models.CharField(max_length=63, help_text="Name of the ECC server or data router.")
    node = models.CharField(max_length=63)
    command = models.CharField(max_length=300, help_text="The command line that is run on the node.")
    state = models.CharField(max_length=7, choices=CommandState, default=CommandState.QUEUED)
    message = models.TextField(blank=True, help_text="What came of it, in words.")
    requested_by = models.CharField(max_length=150)
    origin = models.CharField(max_length=100, blank=True)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Nobody may begin it after this time.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="Whoever carries it out was alive.")
    published_at = models.DateTimeField(null=True, help_text="When the workers were last told of it.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints = [
            models.UniqueConstraint(fields=["subject"], condition=Q(state__in=ACTIVE_STATES), name="one_restart_each"),
        ]

    def __str__(self) -> str:
        return f"restart of {self.subject}: {self.state}"


class ConnectionTest(models.Model):
    """Whether something of the setup can be reached, tried by a worker before or after it is saved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=6, help_text="ecc, router or node.")
    target = models.JSONField(help_text="The fields of the form: host, port, ... as they were typed.")
    state = models.CharField(max_length=7, choices=CommandState, default=CommandState.QUEUED)
    message = models.TextField(blank=True, help_text="What came of it, in words.")
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Nobody may begin it after this time.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)

    def __str__(self) -> str:
        return f"test of {self.kind}: {self.state}"
