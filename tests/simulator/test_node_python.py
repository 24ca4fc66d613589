"""`cd DIR && python3 PROGRAM ...` on a simulated node."""

from get_simulator.faults import Fault, FaultKind
from get_simulator.node import PythonCall
from tests.simulator.conftest import Simulation
from tests.simulator.test_node import NODE, logged_in

PROGRAM = "import os, sys\nprint(sorted(os.listdir()), sys.argv[1:])\nsys.exit('failed' if len(sys.argv) > 2 else 0)\n"


def test_the_shell_takes_words_as_they_are_quoted() -> None:
    found = NODE.run("cd '/it is' && python3 -I /p.py 'a b' '$c'", 0.0)
    assert found.python == PythonCall("/it is", ("-I", "/p.py", "a b", "$c"))
    assert NODE.run("cd /x && reboot", 0.0).status == 127


async def test_programs_from_files_of_the_node_only(small: Simulation) -> None:
    root = small.staging("cobo0").parent
    (root / "p.py").write_text(PROGRAM)
    (root / "staging" / "a.graw").touch()
    async with logged_in(small) as ssh:
        done = await ssh.run("cd /staging && python3 -I /p.py 'a b'")
        assert (done.stdout, done.stderr, done.exit_status) == ("['a.graw'] ['a b']\n", "", 0)
        done = await ssh.run("cd /staging && python3 /p.py 1 2")
        assert (done.stdout, done.stderr, done.exit_status) == ("['a.graw'] ['1', '2']\n", "failed\n", 1)
        assert (await ssh.run("cd /staging && python3 ../../../../../p.py")).exit_status == 0
        assert (await ssh.run("cd /staging && python3 /etc/hostname.py")).exit_status == 2
        assert (await ssh.run("cd /staging && python3 -V")).exit_status == 2
        done = await ssh.run("cd /nowhere && python3 /p.py")
        assert (done.stderr, done.exit_status) == ("sh: cd: /nowhere: No such file or directory\n", 1)


async def test_a_node_without_python(small: Simulation) -> None:
    small.detector.faults.set(Fault("node-cobo0", FaultKind.NO_PYTHON, times=1))
    async with logged_in(small) as ssh:
        done = await ssh.run("cd /staging && python3 /p.py")
        assert (done.stderr, done.exit_status) == ("sh: python3: command not found\n", 127)
        assert (await ssh.run("cd /staging && python3 /p.py")).exit_status == 2
