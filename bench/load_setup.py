"""`python -m bench.load_setup keys|ecc|all DIRECTORY`: prepare a place for more boards than Easy setup makes."""

import sys
from pathlib import Path

from attpcdaq.demo import prepare
from attpcdaq.demo.detector import announced
from attpcdaq.demo.place import Place


def main(what: str, place: Place) -> None:
    if what == "keys":
        prepare.make_keys(place)
        return
    import django

    django.setup()
    prepare.make_database()
    prepare.make_users(place)
    prepare.make_experiment()
    _load(place, routers=what == "all")
    prepare.choose_configurations()


def _load(place: Place, *, routers: bool) -> None:
    from attpcdaq.topology import setup_store
    from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SourceEntry

    told = announced(place)
    writers = told["data_routers"] if routers else []
    sources = {router["node"]: router["name"] for router in writers}
    setup_store.write(
        Setup(
            tuple(NodeEntry(node["name"], node["address"], ssh_port=node["ssh_port"]) for node in told["nodes"]),
            tuple(
                ServerEntry(one["name"], one["node"], one["address"], one["port"], one["name"].removeprefix("ecc-"))
                for one in told["ecc_servers"]
            ),
            tuple(
                RouterEntry(one["name"], one["node"], one["address"], one["staging"], one["port"]) for one in writers
            ),
            tuple(
                SourceEntry(one["boards"][0], "cobo", one["name"], sources[one["node"]])
                for one in told["ecc_servers"]
                if routers
            ),
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Place(Path(sys.argv[2])))
