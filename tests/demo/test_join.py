"""A simulated detector becomes the setup of containers, once; a crew's setup is never taken away."""

import socket

import pytest

from attpcdaq.demo.join import main
from attpcdaq.demo.prepare import setup_of
from attpcdaq.runcontrol.asking.setup_changes import planned
from attpcdaq.runlog import experiments
from attpcdaq.runlog.models import Experiment
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology import setup_store
from tests.demo.test_prepare import announcement

pytestmark = pytest.mark.django_db(transaction=True)
HOST = "127.0.0.1"


def test_where_there_is_none_it_becomes_the_setup_and_stays_it() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind((HOST, 0))
        told = announcement(1, mutant=False)
        told["ecc_servers"][0]["port"] = nobody_listens.getsockname()[1]
        main(told, HOST)
        before = setup_store.read()
        main(told, HOST)
    assert planned(setup_of(told, HOST)) == ()
    assert setup_store.read() == before
    active = experiments.active()
    assert active is not None
    assert active.name == "demo"


def test_another_setup_is_left_as_it_is_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    build_detector(cobos=2)
    before = setup_store.read()
    main(announcement(1, mutant=False), HOST)
    assert setup_store.read() == before
    assert capsys.readouterr().out == "The setup is not that of the simulated detector: it was left as it is.\n"
    assert not Experiment.objects.exists()
