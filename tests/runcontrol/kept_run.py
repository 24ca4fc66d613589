"""A closed run whose files lie in its directories, and a worker that checks them."""

import json
from datetime import timedelta

from attpcdaq.gateways.ports import NodeClock
from attpcdaq.live.clocks import record_clock
from attpcdaq.runcontrol.proving.manifesting import check_files
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Experiment, Manifest, Run, RunFile
from attpcdaq.topology.models import DataSource
from tests.runcontrol.frames import frames, mutant_frames, name_of
from tests.runcontrol.rig import Rig

DIRECTORY = "/staging/e20009/run_0001"
EVENTS = range(50)


class Kept:
    """A closed run whose files lie in its directories."""

    def __init__(self, rig: Rig, number: int = 1) -> None:
        self.rig = rig
        now = rig.time.now()
        boards = {s.sender_id: s.role for s in DataSource.objects.all()}
        servers = {s.ecc_server.name: {"boards": {s.sender_id: s.role}} for s in DataSource.objects.all()}
        assert boards
        self.run = Run.objects.create(
            experiment=Experiment.objects.get(),
            number=number,
            state="closed",
            requested_at=now - timedelta(seconds=60),
            started_at=now - timedelta(seconds=59),
            stopped_at=now - timedelta(seconds=10),
            closed_at=now - timedelta(seconds=8),
            configuration=servers,
        )

    def put(self, cobo: int | None, asad: int | None = None, events=EVENTS, **more) -> RunFile:
        """A file of one source, with a row that says so."""
        data = mutant_frames(events) if cobo is None else frames(cobo, asad or 0, events)
        short = "mutant" if cobo is None else f"cobo{cobo}"
        name = name_of(cobo, asad)
        directory = f"/staging/{self.run.directory}"
        self.rig.nodes.write(f"node-{short}", f"{directory}/{name}", data, mtime=0.0)
        row = {"node": f"node-{short}", "owner": f"router-{short}", "path": f"{directory}/{name}", "name": name}
        return RunFile.objects.create(run=self.run, kind="data", size=len(data), **{**row, **more})

    def put_all(self) -> None:
        for cobo in (0, 1):
            for asad in (0, 1):
                self.put(cobo, asad)
        self.put(None)

    def check(self) -> Manifest:
        assert check_files(self.run.pk, self.rig.outside)
        return Manifest.objects.get(pk=self.run.pk)

    def made(self) -> Manifest:
        """Asked for, and checked."""
        manifests.ask(self.run.pk, self.rig.time.now())
        return self.check()

    def written(self, node: str) -> dict:
        return json.loads(self.rig.nodes.read(node, f"/staging/{self.run.directory}/manifest.json"))


def kept_run(rig: Rig) -> Kept:
    """Run 1 with a file of every source, on nodes whose clocks are right."""
    for row in rig.detector.nodes:
        rig.nodes.nodes[row.name].clock = NodeClock(offset=0.0, error=0.0, utc_offset=0)
        record_clock(row.pk, rig.nodes.nodes[row.name].clock, rig.time.now())
    made = Kept(rig)
    made.put_all()
    return made


def texts(manifest: Manifest) -> list[str]:
    return [reason["text"] for reason in manifest.reasons]
