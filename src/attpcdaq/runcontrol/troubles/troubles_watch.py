"""What is seen beside errors: a router that cannot hear, a disk that fills up, a clock that is off."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

PORT_TAKEN = T(
    "port-taken",
    "The data router runs, but its port is taken",
    "Another process held its data port when it was started. It stays alive and receives nothing, and nobody but its "
    "log says so.",
    "An expert presses Restart on the data router; then press Go to Ready. If it happens again, look on the node who "
    "holds the port (lsof -i, often an older data router) and end that.",
    r"port is taken by another process",
    "4",
)
DISK_FILLING = T(
    "disk-filling",
    "The disk will be full soon",
    "At the rate at which data come now, the disk is full in less than two hours. Frames that come then are lost.",
    "Have finished runs copied away and space made on that disk, or stop the run before it is full.",
    r"the disk is full in\b",
    "4",
)
CLOCK_OFF = T(
    "clock-off",
    "The clock of a node is off",
    "It differs from the clock here by more than 50 ms. File names carry that clock's time, and by them late files are "
    "told to their runs: one that is seconds off may end in quarantine.",
    "An administrator makes sure that the node sets its clock by a time server (chrony, ntpd or timed), and that the "
    "computer of the DAQ does too.",
    r"\bits clock is\b.*\b(?:ahead|behind)\b",
    "4",
    level="warn",
)
