"""`python -m attpcdaq.demo.prepare DATA`: keys, database, user, setup, configurations. Repeatable; then it ends.

A process of its own, so that the one which watches over the others need not carry Django with it.
"""

import io
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attpcdaq.demo.detector import LOOPBACK, announced
from attpcdaq.demo.place import DemoError, Place, write_private

if TYPE_CHECKING:
    from attpcdaq.audit.people import Requester
    from attpcdaq.topology.setup import Setup

USER = "shifter"
OTHERS = ("expert", "admin")
EXPERIMENT = "demo"
CONFIGURATION = "experiment"
SIMULATOR_WITHIN = 60.0


def main(arguments: Sequence[str]) -> None:
    """The keys come first: the simulator is started as soon as they are there."""
    place = Place(Path(arguments[0]))
    make_keys(place)
    import django

    django.setup()
    make_database()
    make_users(place)
    make_experiment()
    _wait_for_simulator(place)
    _make_setup(place)
    choose_configurations()


def make_keys(place: Place) -> None:
    """A key pair with which the product reaches the simulated nodes."""
    if place.authorized_keys.exists() and place.ssh_key.exists():
        return
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519", "attpcdaq demo")
    write_private(place.ssh_key, key.export_private_key().decode())
    write_private(place.authorized_keys, key.export_public_key().decode())


def make_database() -> None:
    """Make the database, or bring it up to date."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def make_users(place: Place) -> None:
    """A shifter with a password and a token, an expert and an admin with passwords; all are kept in the place."""
    from django.core.management import call_command

    made = _make_user(USER, place.password)
    for name in OTHERS:
        _make_user(name, place.password_of(name))
    if made or not place.token.exists():
        printed = io.StringIO()
        call_command("token", "create", f"demo-{secrets.token_hex(3)}", "--user", USER, stdout=printed)
        write_private(place.token, printed.getvalue())


def _make_user(name: str, kept: Path) -> bool:
    """The user whose role is called like him; whether it is new."""
    from django.contrib.auth.models import User

    from attpcdaq.web import accounts
    from attpcdaq.web.roles import role_of

    user, made = User.objects.get_or_create(username=name)
    if made or role_of(user) != name:
        accounts.set_role(user, name, _by())
    if made or not kept.exists():
        password = "-".join(secrets.token_hex(2) for _ in range(3))
        user.set_password(password)
        user.save(update_fields=["password"])
        write_private(kept, f"{password}\n")
    return made


def _by() -> "Requester":
    from attpcdaq.audit.people import at_the_console

    return at_the_console("make demo")


def make_experiment() -> None:
    """See that runs belong to something."""
    from attpcdaq.runlog import experiments

    if experiments.active() is None:
        experiments.create(EXPERIMENT, _by())
        experiments.activate(EXPERIMENT, _by())


def _wait_for_simulator(place: Place) -> None:
    deadline = time.monotonic() + SIMULATOR_WITHIN
    while not place.announce.exists():
        if time.monotonic() > deadline:
            raise DemoError(f"the simulator did not say within {SIMULATOR_WITHIN:g} s where it listens")
        time.sleep(0.05)


def _make_setup(place: Place) -> None:
    """Load the simulated detector as the setup, once, and again when its addresses are others."""
    from attpcdaq.audit.models import Outcome
    from attpcdaq.audit.trail import record
    from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load
    from attpcdaq.topology import setup_store
    from attpcdaq.topology.setup_file import dump

    setup = setup_of(announced(place))
    text = dump(setup)
    if place.setup.exists() and place.setup.read_text(encoding="utf-8") == text:
        return
    try:
        load(setup, _by())
    except SetupBusyError:
        # A run was open when the last demo ended; nobody is at work on it now, and it is the same hardware elsewhere.
        setup_store.write(setup)
        record(_by(), "setup", Outcome.DONE, text="The simulated detector listens elsewhere, and a run is open.")
    place.setup.write_text(text, encoding="utf-8")


def setup_of(told: Mapping[str, Any], host: str = LOOPBACK) -> "Setup":
    """The setup of a simulated detector of the short form that announced itself so and is reached at `host`."""
    from attpcdaq.topology import easy_setup
    from attpcdaq.topology.easy_setup import EasySetup, Series

    servers, routers = told["ecc_servers"], told["data_routers"]
    boards = [board for server in servers for board in server["boards"]]
    cobos = sum(board.startswith("CoBo") for board in boards)
    mutant = easy_setup.NO_READOUT if len(routers) == cobos else easy_setup.READOUT
    return easy_setup.expand(
        EasySetup(
            cobos=cobos,
            ecc_servers=easy_setup.ONE_EACH if len(servers) == len(boards) else easy_setup.ONE_FOR_ALL,
            mutant=mutant if len(boards) > cobos else easy_setup.NO_MUTANT,
            ecc=Series(host, servers[0]["port"], port_step=1),
            router=Series(host, routers[0]["port"], port_step=1),
            ssh=Series(host, told["nodes"][0]["ssh_port"], port_step=1),
            link_type=routers[0]["link_type"],
            log_file=told["log_file"],
            ecc_log_file=told["log_file"],
        )
    )


def choose_configurations() -> None:
    """Ask every server what it lists, and choose the usual one where the crew has chosen nothing."""
    from attpcdaq.runcontrol.asking import configs
    from attpcdaq.runcontrol.doing import configs_fetch
    from attpcdaq.topology.models import ECCServer

    configs_fetch.fetch()
    for server in ECCServer.objects.filter(config_set=None):
        usual = configs.choices(server).filter(prepare=CONFIGURATION, configure=CONFIGURATION).first()
        if usual is not None:
            configs.choose({server.pk: usual.pk}, _by())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DemoError as error:
        sys.exit(str(error))
