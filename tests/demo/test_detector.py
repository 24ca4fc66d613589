"""The simulated detector of a demo: ports are chosen once, kept, and chosen anew only when somebody took one."""

import json
import socket
import tomllib
from pathlib import Path

import pytest

from attpcdaq.demo import detector
from attpcdaq.demo.place import DemoError, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "data")
    place.make()
    detector.describe(place)
    return place


def ports(place: Place) -> dict[str, int]:
    table = tomllib.loads(place.description.read_text())["detector"]
    return {key: value for key, value in table.items() if key.endswith("_port")}


def test_ports_are_free_and_do_not_overlap(place: Place) -> None:
    chosen = ports(place)
    used = [chosen["control_port"]]
    used += [chosen[key] + n for key in ("ecc_port", "data_port", "ssh_port") for n in range(detector.BOARDS)]
    assert len(set(used)) == 3 * detector.BOARDS + 1
    assert all(map(detector.is_free, used))


def test_the_next_start_finds_the_same_ports(place: Place) -> None:
    before = place.description.read_text()
    detector.describe(place)
    assert place.description.read_text() == before


def test_what_was_changed_by_hand_stays_when_a_port_was_taken(place: Place) -> None:
    before = ports(place)
    place.description.write_text(place.description.read_text().replace("event_rate = 5.0", "event_rate = 7.0"))
    with socket.create_server((detector.LOOPBACK, before["ssh_port"] + 4)):
        detector.describe(place)
        assert ports(place).keys() == before.keys()
        assert before["ssh_port"] + 4 not in range(ports(place)["ssh_port"], ports(place)["ssh_port"] + detector.BOARDS)
    assert tomllib.loads(place.description.read_text())["physics"]["event_rate"] == 7.0


@pytest.mark.parametrize("text", ["[detector", "[detector]\ncobos = 'ten'\n", "detector = 3\n"])
def test_a_description_that_cannot_be_read_is_named(place: Place, text: str) -> None:
    place.description.write_text(text)
    with pytest.raises(DemoError, match=r"simulator\.toml"):
        detector.describe(place)


def test_port_0_and_impossible_ports_are_not_free() -> None:
    assert not detector.is_free(0)
    assert not detector.is_free(70000)


def test_known_hosts_name_each_node(place: Place) -> None:
    nodes = [{"address": "127.0.0.1", "ssh_port": port} for port in (20001, 20002)]
    place.announce.write_text(json.dumps({"nodes": nodes, "host_key": "ssh-ed25519 AAAA"}))
    detector.write_known_hosts(place)
    assert place.known_hosts.read_text().splitlines() == [
        "[127.0.0.1]:20001 ssh-ed25519 AAAA",
        "[127.0.0.1]:20002 ssh-ed25519 AAAA",
    ]
