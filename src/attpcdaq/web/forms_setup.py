"""Forms of the setup pages."""

from collections.abc import Iterator
from typing import Any

from django import forms

from attpcdaq.topology import easy_setup
from attpcdaq.topology.easy_setup import MAX_COBOS, EasySetup, Series
from attpcdaq.topology.models import Access, LinkType
from attpcdaq.topology.setup_file import MAX_BYTES

DEFAULT = EasySetup()
MAX_STEP = 65535
SERIES = ("ecc", "router", "ssh")
AGENT = ("agent_port", "agent_port_step")
NEEDS_SSH = "Left out where nodes are reached through their HTTP agent."
RESTART_HELP = "Run on its node over SSH; {name} stands for its name. Empty: cannot be restarted from here."
LOG_HELP = "{name} stands for its name. May be empty."
GROUPS = {
    "Detector": ("cobos", "mutant", "ecc_servers", "link_type"),
    "ECC servers": ("ecc_host", "ecc_host_step", "ecc_port", "ecc_port_step"),
    "Data routers": ("router_host", "router_host_step", "router_port", "router_port_step", "process_name"),
    "Nodes": ("access", "ssh_host", "ssh_host_step", "ssh_port", "ssh_port_step", "ssh_user", *AGENT),
    "Restart commands": ("restart_ecc", "restart_router"),
    "Directories and files on the nodes": ("staging_dir", "config_dir", "backup_dir", "log_file", "ecc_log_file"),
    "Configurations": ("describe_cobo", "describe_mutant", "describe_all", "prepare", "configure"),
}


def _text(label: str, initial: str, help_text: str = "", *, required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=255, initial=initial, help_text=help_text, required=required)


class EasySetupForm(forms.Form):
    """A regular detector from a few numbers."""

    cobos = forms.IntegerField(label="Number of CoBos", min_value=1, max_value=MAX_COBOS, initial=DEFAULT.cobos)
    mutant = forms.ChoiceField(
        label="MuTAnT",
        choices=[
            (easy_setup.READOUT, "With readout"),
            (easy_setup.NO_READOUT, "Without readout"),
            (easy_setup.NO_MUTANT, "None"),
        ],
    )
    ecc_servers = forms.ChoiceField(
        label="ECC servers",
        choices=[(easy_setup.ONE_EACH, "One for each board"), (easy_setup.ONE_FOR_ALL, "One for all boards")],
    )
    link_type = forms.ChoiceField(
        label="Data link type", choices=[(each, each) for each in LinkType.values], initial=DEFAULT.link_type
    )
    process_name = _text("Program", DEFAULT.process_name, "dataRouter or DataExporter, as ps shows it.")
    access = forms.ChoiceField(
        label="Reached by",
        choices=Access.choices,
        initial=DEFAULT.access,
        help_text="An HTTP agent can do less: no restarts, no configuration files, runs are not proven.",
    )
    ssh_user = _text("User", "", "Empty: the user of the settings.", required=False)
    restart_ecc = _text("Of an ECC server", DEFAULT.restart_ecc, RESTART_HELP, required=False)
    restart_router = _text("Of a data router", DEFAULT.restart_router, RESTART_HELP, required=False)
    staging_dir = _text("Staging directory", DEFAULT.staging_dir, "Working directory of the data router.")
    config_dir = _text("Directory of the .xcfg files", DEFAULT.config_dir, NEEDS_SSH, required=False)
    backup_dir = _text(
        "Backup directory", DEFAULT.backup_dir, "For the configuration files of each run.", required=False
    )
    log_file = _text("Log of the data router", "", f"Its end tells why it does not hear. {LOG_HELP}", required=False)
    ecc_log_file = _text("Log of the ECC server", "", f"The page shows its end. {LOG_HELP}", required=False)
    describe_cobo = _text("Describe name of a CoBo", DEFAULT.describe_cobo, required=False)
    describe_mutant = _text("Describe name of the MuTAnT", DEFAULT.describe_mutant, required=False)
    describe_all = _text("Describe name for all boards", DEFAULT.describe_all, "With one ECC server.", required=False)
    prepare = _text("Prepare name", "", "Empty: choose on the setup page.", required=False)
    configure = _text("Configure name", "", "Empty: the same as for Prepare.", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SERIES:
            default: Series = getattr(DEFAULT, name)
            self.fields[f"{name}_host"] = _text("First address", default.host)
            self.fields[f"{name}_host_step"] = forms.IntegerField(
                label="Address step", initial=default.host_step, min_value=-MAX_STEP, max_value=MAX_STEP
            )
            self.fields[f"{name}_port"] = forms.IntegerField(
                label="First port", min_value=1, max_value=65535, initial=default.port
            )
            self.fields[f"{name}_port_step"] = forms.IntegerField(
                label="Port step", initial=default.port_step, min_value=-MAX_STEP, max_value=MAX_STEP
            )

        self.fields["agent_port"] = forms.IntegerField(
            label="First port of the agents", min_value=1, max_value=65535, initial=DEFAULT.agent.port
        )
        self.fields["agent_port_step"] = forms.IntegerField(
            label="Step of the agents' port", initial=0, min_value=-MAX_STEP, max_value=MAX_STEP
        )

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields as they stand on the page."""
        return ((title, [self[name] for name in names]) for title, names in GROUPS.items())

    def easy_setup(self) -> EasySetup:
        """What was filled in (after is_valid)."""
        filled = dict(self.cleaned_data)
        for name in SERIES:
            host, step = filled.pop(f"{name}_host"), filled.pop(f"{name}_host_step")
            filled[name] = Series(host, filled.pop(f"{name}_port"), step, filled.pop(f"{name}_port_step"))
        filled["agent"] = Series("", filled.pop("agent_port"), 0, filled.pop("agent_port_step"))
        return EasySetup(**filled)


class SetupFileForm(forms.Form):
    """A setup file to be loaded."""

    file = forms.FileField(label="Setup file (TOML)", max_length=200)

    def clean_file(self) -> bytes:
        uploaded = self.cleaned_data["file"]
        if uploaded.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES} bytes.")
        return bytes(uploaded.read())
