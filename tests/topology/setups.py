"""Setups for the tests: any that may be, and a small one written out."""

from hypothesis import strategies as st

from attpcdaq.topology import easy_setup
from attpcdaq.topology.easy_setup import EasySetup, Series
from get_protocol.config_set import ConfigId

TEXT = """
[[node]]
name = "node-cobo0"
host = "127.0.0.1"
ssh_port = 8022
restart_ecc = "systemctl restart {name}"
restart_router = "launchctl kickstart -k system/{name}"

[[ecc_server]]
name = "ecc-cobo0"
node = "node-cobo0"
host = "127.0.0.1"
port = 8083
deadlines = { prepare = 90, configure = 240.5 }
describe_name = "cobo0"
config = { describe = "cobo0", prepare = "experiment", configure = "experiment" }

[[data_router]]
name = "router-cobo0"
node = "node-cobo0"
host = "127.0.0.1"
staging_dir = "/staging"

[[data_source]]
sender_id = "CoBo[0]"
role = "cobo"
ecc_server = "ecc-cobo0"
data_router = "router-cobo0"
"""

config_names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=20)
config_ids = st.builds(ConfigId, config_names, config_names, config_names)
directories = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).map(lambda name: f"/d/{name}{{n}}")


def series(port: int) -> st.SearchStrategy[Series]:
    return st.builds(Series, st.just("10.0.0.1"), st.just(port), st.integers(1, 3), st.integers(0, 9))


easy_setups = st.builds(
    EasySetup,
    cobos=st.integers(1, easy_setup.MAX_COBOS),
    ecc_servers=st.sampled_from([easy_setup.ONE_EACH, easy_setup.ONE_FOR_ALL]),
    mutant=st.sampled_from([easy_setup.NO_MUTANT, easy_setup.NO_READOUT, easy_setup.READOUT]),
    ecc=series(8083),
    router=series(46005),
    ssh=series(22),
    log_file=st.one_of(st.just(""), directories),
    ecc_log_file=st.one_of(st.just(""), directories),
    ssh_user=st.sampled_from(["", "attpc"]),
    restart_ecc=st.sampled_from(["", "sudo systemctl restart {name}.service"]),
    restart_router=st.sampled_from(["", "~/bin/restart '{name}' $HOME \"x\" \\\\ ü"]),
    link_type=st.sampled_from(["TCP", "FDT", "ZBUF", "ICE"]),
    staging_dir=directories,
    config_dir=st.one_of(st.just(""), directories),
    backup_dir=st.one_of(st.just(""), directories),
    describe_cobo=config_names,
    prepare=st.one_of(st.just(""), config_names),
)
