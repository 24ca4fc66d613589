"""What hardware we believe we have: nodes, ECC servers, data routers, data sources, config sets."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

PORT = [MinValueValidator(1), MaxValueValidator(65535)]
NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z", "Use 1 to 63 letters, digits, dots, dashes or underscores."
)
SENDER_ID = RegexValidator(r"\A[A-Za-z]+\[[A-Za-z0-9_]+\]\Z", "Use the form CoBo[0] or Mutant[master].")


def absolute_path(value: str) -> None:
    """Refuse what is not a plain absolute path on a node, or one below the home directory there (~/)."""
    if not value.startswith(("/", "~/")) or "\x00" in value or ".." in value.split("/"):
        raise ValidationError("Use an absolute path without '..'; it may begin with ~/.")


class Role(models.TextChoices):
    """What a board is; said in the setup, never guessed from a name."""

    COBO = "cobo", "CoBo"
    MUTANT = "mutant", "MuTAnT"


class LinkType(models.TextChoices):
    """How a board sends its data to a router (facts 3)."""

    TCP = "TCP"
    FDT = "FDT"
    ZBUF = "ZBUF"
    ICE = "ICE"


class Access(models.TextChoices):
    """How a node is reached; the agent can do less, and its runs are not proven."""

    SSH = "ssh", "SSH"
    AGENT = "agent", "HTTP agent"


class Node(models.Model):
    """A computer on which ECC servers and data routers run."""

    name = models.CharField(max_length=63, unique=True, validators=[NAME])
    host = models.CharField(max_length=253)
    access = models.CharField(max_length=5, choices=Access, default=Access.SSH)
    agent_port = models.PositiveIntegerField(default=8080, validators=PORT)
    ssh_port = models.PositiveIntegerField(default=22, validators=PORT)
    ssh_user = models.CharField(max_length=63, blank=True, help_text="Empty: the user of the settings.")
    restart_ecc = models.CharField(
        max_length=200, blank=True, help_text="Command that restarts an ECC server; {name} stands for its name."
    )
    restart_router = models.CharField(
        max_length=200, blank=True, help_text="Command that restarts a data router; {name} stands for its name."
    )

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class HostKey(models.Model):
    """A host key that an expert has said to be a node's; without one (or a known_hosts entry) nobody logs in there."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="host_keys")
    key = models.CharField(max_length=2000, help_text="Type and key, as in a known_hosts file.")
    fingerprint = models.CharField(max_length=63, help_text="SHA256:... as ssh-keygen -l shows it.")
    pinned_by = models.CharField(max_length=150)
    pinned_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["node", "fingerprint"], name="host_key_once")]

    def __str__(self) -> str:
        return f"{self.node}: {self.fingerprint}"


class SeenHostKey(models.Model):
    """The host key that a node last showed when an expert asked for it; shown beside the pinned ones, never trusted."""

    node = models.OneToOneField(Node, on_delete=models.CASCADE, primary_key=True, related_name="seen_host_key")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    key = models.CharField(max_length=2000, blank=True)
    fingerprint = models.CharField(max_length=63, blank=True)
    seen_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, help_text="Why it could not be read.")

    def __str__(self) -> str:
        return f"{self.node}: {self.fingerprint or self.problem or 'asked'}"


class ConfigBlob(models.Model):
    """The exact bytes of a configuration file, or of what an ECC server loaded; stored once, by what they are."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveIntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size} bytes)"


class ConfigKind(models.TextChoices):
    """What a configuration file is for; `links` is the DataLinkSet, which is no file."""

    DESCRIBE = "describe", "Describe"
    HARDWARE = "hardware", "Hardware description"
    PREPARE = "prepare", "Prepare"
    CONFIGURE = "configure", "Configure"
    LINKS = "links", "Data links"


class ConfigSource(models.TextChoices):
    FILE = "file", "The file"
    LOADED = "loaded", "What the ECC server loaded"


class ECCServer(models.Model):
    """One SOAP server which configures, starts and stops its boards."""

    name = models.CharField(max_length=63, unique=True, validators=[NAME])
    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="ecc_servers")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=8083, validators=PORT)
    describe_name = models.CharField(max_length=200, blank=True, help_text="Offer only configurations of it.")
    config_set = models.ForeignKey("ConfigSet", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    configs_fetched_at = models.DateTimeField(null=True, blank=True, help_text="When it last listed them.")
    config_dir = models.CharField(max_length=255, blank=True, help_text="Directory of the .xcfg files on the node.")
    backup_dir = models.CharField(max_length=255, blank=True, help_text="Where each run's copies go, on the node.")
    log_file = models.CharField(
        max_length=255,
        blank=True,
        db_default="",
        validators=[absolute_path],
        help_text="Where its output goes, on the node.",
    )
    deadlines = models.JSONField(
        default=dict, blank=True, help_text="Operation (describe, ...) -> seconds after which its step is given up."
    )

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["host", "port"], name="ecc_server_address_once")]

    def __str__(self) -> str:
        return self.name


class ConfigSet(models.Model):
    """A triple of names which one ECC server lists."""

    ecc_server = models.ForeignKey(ECCServer, on_delete=models.CASCADE, related_name="config_sets")
    describe = models.CharField(max_length=200)
    prepare = models.CharField(max_length=200)
    configure = models.CharField(max_length=200)
    listed = models.BooleanField(default=True, help_text="Still offered by the server when it was last asked.")

    class Meta:
        ordering = ("describe", "prepare", "configure")
        constraints = [
            models.UniqueConstraint(fields=["ecc_server", "describe", "prepare", "configure"], name="config_set_once"),
        ]

    def __str__(self) -> str:
        return f"{self.describe} / {self.prepare} / {self.configure}"


class DataRouter(models.Model):
    """A process which receives one board's frames and writes them into its staging directory."""

    name = models.CharField(max_length=63, unique=True, validators=[NAME])
    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="data_routers")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=46005, validators=PORT)
    link_type = models.CharField(max_length=4, choices=LinkType, default=LinkType.TCP)
    staging_dir = models.CharField(max_length=255, validators=[absolute_path])
    process_name = models.CharField(max_length=63, default="dataRouter")
    log_file = models.CharField(
        max_length=255, blank=True, validators=[absolute_path], help_text="Where its output goes, on the node."
    )

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["host", "port"], name="data_router_address_once")]

    def __str__(self) -> str:
        return self.name


class DataSource(models.Model):
    """One board as a sender of data; a MuTAnT without readout has no router."""

    sender_id = models.CharField(max_length=63, validators=[SENDER_ID])
    role = models.CharField(max_length=6, choices=Role)
    ecc_server = models.ForeignKey(ECCServer, on_delete=models.CASCADE, related_name="data_sources")
    data_router = models.OneToOneField(
        DataRouter, on_delete=models.PROTECT, null=True, blank=True, related_name="data_source"
    )

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["sender_id"], name="data_sender_once"),
            models.CheckConstraint(
                condition=models.Q(role="mutant") | models.Q(data_router__isnull=False), name="cobo_needs_a_router"
            ),
        ]

    def __str__(self) -> str:
        return self.sender_id
