"""The setup of a demo is that of the detector which announced itself."""

from typing import Any

import pytest

from attpcdaq.demo.prepare import setup_of


def announcement(cobos: int, *, mutant: bool, readout: bool = True, one_for_all: bool = False) -> dict[str, Any]:
    boards = [f"CoBo[{n}]" for n in range(cobos)] + ["Mutant[master]"] * mutant
    each = [{"name": f"ecc-{n}", "port": 21000 + n, "boards": [board]} for n, board in enumerate(boards)]
    senders = boards if readout else boards[:cobos]
    return {
        "ecc_servers": [{"name": "ecc-all", "port": 21000, "boards": boards}] if one_for_all else each,
        "data_routers": [{"port": 22000 + n, "link_type": "FDT"} for n, _ in enumerate(senders)],
        "log_file": "/logs/{name}.log",
        "nodes": [{"ssh_port": 23000 + n} for n, _ in enumerate(boards)],
    }


def test_ten_cobos_and_a_mutant_with_readout() -> None:
    setup = setup_of(announcement(10, mutant=True))
    assert [server.name for server in setup.ecc_servers] == [*(f"ecc-cobo{n}" for n in range(10)), "ecc-mutant"]
    assert [server.port for server in setup.ecc_servers] == list(range(21000, 21011))
    assert [router.port for router in setup.data_routers] == list(range(22000, 22011))
    assert {router.link_type for router in setup.data_routers} == {"FDT"}
    assert [node.ssh_port for node in setup.nodes] == list(range(23000, 23011))
    assert setup.data_sources[-1].sender_id == "Mutant[master]"
    assert (setup.ecc_servers[3].log_file, setup.data_routers[3].log_file) == (
        "/logs/ecc-cobo3.log",
        "/logs/router-cobo3.log",
    )


@pytest.mark.parametrize(
    ("told", "servers", "routers", "sources"),
    [
        (announcement(2, mutant=True, readout=False), 3, 2, 3),
        (announcement(2, mutant=False), 2, 2, 2),
        (announcement(3, mutant=True, one_for_all=True), 1, 4, 4),
    ],
)
def test_other_layouts_of_the_short_form(told: dict[str, Any], servers: int, routers: int, sources: int) -> None:
    setup = setup_of(told)
    assert (len(setup.ecc_servers), len(setup.data_routers), len(setup.data_sources)) == (servers, routers, sources)


def test_everything_can_be_restarted_from_the_page() -> None:
    setup = setup_of(announcement(2, mutant=True, one_for_all=True))
    assert {node.restart_ecc for node in setup.nodes} == {"systemctl restart {name}"}
    assert {node.restart_router for node in setup.nodes} == {"systemctl restart {name}"}
