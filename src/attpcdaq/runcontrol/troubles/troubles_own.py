"""What goes wrong in run control itself, in plain words; in the order in which the patterns are tried."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

NOTHING_LISTENS = T(
    "nothing-listens",
    "The ECC server does not run",
    "The node is there, but nothing listens at the address of the ECC server. Its boards do what they did before: "
    "if they were Running they still send.",
    "An expert presses Restart on this server, then Go to Ready. If it does not come back, look at its log there.",
    r"nothing listens there",
    "2.4, 6",
)
NO_ANSWER = T(
    "no-answer",
    "The ECC server does not answer",
    "It took the request and said nothing in time: its process is frozen, or the network lost the answer. A call that "
    "was sent may have been carried out.",
    "Wait for the state. If it stays unknown an expert restarts the ECC server; then press Go to Ready.",
    r"no (?:complete )?answer within",
    "2.3, 6",
)
NO_CONNECTION = T(
    "no-connection",
    "The ECC server cannot be reached",
    "No connection came about: the node is off, the network is down, or the address is wrong. Nothing was sent.",
    "Is the node on, is the network up? If the address changed, an expert corrects the Setup page.",
    r"no connection|closed the connection before anything was sent",
    "0",
)
EXCLUDED = T(
    "excluded",
    "The server is excluded",
    "The system goes on without it and its boards, for the reason shown. It gets no command but Stop.",
    "When the reason is mended press Include again; then Go to Ready takes it along.",
    r"\bis excluded\b|^Excluded:",
)

BEFORE = (
    T(
        "database-away",
        "The database was away",
        "What was under way could not be recorded. The state shown is what the hardware says.",
        "Nothing is lost; wait until the page is back, look at the state, and press what you need again. If it stays "
        "away, tell an administrator.",
        r"OperationalError|InterfaceError|database (?:is|was) away",
    ),
    T(
        "internal-error",
        "Run control broke off",
        "A fault in the DAQ itself ended this step. The state shown is what the hardware says.",
        "Look at the state and press Retry. Tell an expert what it says here: the log of the worker has the details.",
        r"[Ii]nternal error|It broke off",
    ),
    T(
        "no-restart-command",
        "No restart command is set up",
        "This part can be restarted from here once its node has a command for it.",
        "An expert adds restart_ecc or restart_router to the node in the setup file; until then, restart it on the "
        "node itself.",
        r"No command to restart",
    ),
    T(
        "restart-failed",
        "The restart did not work",
        "The command was run on the node and failed, or what it should restart did not come back.",
        "Read its words. Try the command on the node itself as the DAQ's user; mend it there or in the setup file, and "
        "press Restart again.",
        r"ended with status \d|was not restarted|did not come back|running [0-9.]+ s later",
    ),
    T(
        "restart-unknown",
        "Nobody knows whether it was restarted",
        "The restart command did not end, or its connection was lost. It may have been carried out.",
        "Look at the state shown. Pressing Restart again does no harm. A command that starts a program must let go of "
        "it (see the manual on restart commands).",
        r"What '.*' did is not known|[Ww]hether it was restarted (?:cannot be told|is not known)|cannot be seen:",
    ),
    T(
        "monitor-away",
        "The monitor is not running",
        "Nobody reads the hardware, so nothing is known of it and nothing but Stop is allowed.",
        "An administrator starts the monitor process; the page is right again a few seconds later.",
        r"[Mm]onitor is not running|start the monitor process",
    ),
    T(
        "nobody-moves",
        "Nobody moves the files",
        "The run has stopped, but no worker moves its files, so it is not closed and the next one must wait.",
        "An administrator starts the worker for files (Celery, queue files). It goes on by itself; nothing is lost.",
        r"Nobody moves the files",
    ),
    T(
        "expired",
        "The command expired",
        "No worker was there to take it in time, so nothing was sent, and nothing will be sent later.",
        "Is the Celery worker running? The Stop button works without it. Press the button again when the worker is "
        "back.",
        r"No worker took it in time|\bexpired\b",
    ),
    T(
        "worker-gone",
        "The worker was ended in the middle",
        "Whoever carried the command out is gone. The state shown is what the hardware says.",
        "Look at the state; press Retry for what is still to be done, or Stop.",
        r"worker that carried it out is gone|fell silent|\bis gone\b",
    ),
    T(
        "forsaken",
        "A run is on its way and nobody is at work",
        "The run was being started or stopped when whoever did it ended. It is brought to an end by itself within "
        "seconds; if not, it needs you.",
        "Press Stop. Then start again: the run gets a new number.",
        r"nobody is at work on it",
    ),
    T(
        "not-stopped",
        "The run was not seen stopped",
        "A server refused to stop or does not answer, or files still grow. The last command names it. The run stays "
        "open until it is certain.",
        "Press Stop again. If an ECC server was restarted while its boards were Running they do not hear it: Go to "
        "Ready reaches them. A server that has not answered for 60 s is not waited for any more.",
        r"[Nn]ot seen stopped",
        "2.4",
    ),
    T(
        "loose",
        "Boards run although no run is open",
        "Boards are Running, or their files grow, and the data belong to no run. Somebody used another program, or an "
        "ECC server was restarted in the middle of a run.",
        "Adopt it as a run to keep the data in the run log, or stop the boards.",
        r"Running although|Files grow although no run",
        "2.4",
    ),
    T(
        "not-running",
        "A board is not Running in an open run",
        "The run goes on without the data of this board. Its record does not say so by itself: write it in "
        "the run sheet.",
        "If it is Ready press Controls beside it, then Start: that repairs it within the run. Otherwise exclude it "
        "with a reason, or stop the run and press Go to Ready.",
        r"it is \w+, not Running",
    ),
    T(
        "superseded",
        "A Stop came first",
        "Somebody pressed Stop, so nothing more of this command was sent.",
        "Press the button again once the Stop is done, if it is still wanted.",
        r"A Stop (?:came|took over)",
    ),
    T(
        "earlier-failed",
        "It was not reached",
        "A step before this one failed, and the order of boards must be kept. Nothing was sent to this server.",
        "Mend what failed and press Retry: only what is still to be done is done. Or exclude the board that fails and "
        "go on with the rest.",
        r"An earlier step failed|The command ended before",
    ),
    T(
        "outstanding",
        "Another call is outstanding",
        "One call at a time goes to an ECC server, and what became of the previous one is not recorded yet. Nothing "
        "was sent.",
        "Wait until the command that is at work has ended; then press Retry.",
        r"Another call to this ECC server|is still outstanding",
        "2.3",
    ),
    T(
        "outcome-unknown",
        "What came of the call is not known",
        "The call was sent and its answer was lost. Nothing is sent twice by itself.",
        "Wait for the state: it tells whether the call was carried out. Then press Retry, which does only what is "
        "still to be done.",
        r"outcome is unknown|What came of it was not recorded",
        "2.3",
    ),
    T(
        "other-config",
        "The boards have another configuration than is chosen",
        "The choice was changed after the board was set up, so the run would be recorded with settings it had not.",
        "Press Go to Ready: it goes back as far as that needs. Or, while no run is open, choose the old "
        "configuration again.",
        r"was done with .*, but .* is chosen|another configuration than is chosen",
        "3",
    ),
    T(
        "no-config",
        "No configuration is chosen",
        "The ECC server needs to know which configuration files to use.",
        "Choose one for this server on the Setup page.",
        r"[Nn]o configuration is chosen",
        "3",
    ),
    T(
        "mixed",
        "The servers are in different states",
        "Something was done to some of them only, or a step failed.",
        "Press Go to Ready, Go to Idle or Start run: the way of each server is worked out and shown before it runs.",
        r"^Mixed states|the servers are \w+, ",
    ),
    T(
        "wrong-state",
        "The step does not fit the state",
        "The server is not in the state from which this step leads anywhere. Nothing was sent.",
        "Press Go to Ready or Go to Idle: the way from there is worked out.",
        r"It is \w+, and \w+ needs|it is \w+, and \w+ needs|comes before Undo",
        "2.1, 2.2",
    ),
    T(
        "plan-changed",
        "The plan changed meanwhile",
        "Between your look and your click something moved, so the order that you saw is not the one that would be "
        "carried out. Nothing was sent.",
        "Look at the plan that is shown now, and press again if it is what you want.",
        r"[Tt]he plan changed meanwhile|[Tt]hat changed meanwhile",
    ),
    T(
        "in-charge",
        "Somebody else is in charge",
        "One person at a time gives commands. Stop is always allowed.",
        "Ask for control, or take it with a reason.",
        r"is in charge",
    ),
    T(
        "not-set-up",
        "The part is not set up any more",
        "It was taken out of the setup after the command was given. Nothing was sent.",
        "Look at the Setup page: is it the setup that you expect?",
        r"not set up any more",
    ),
    T(
        "under-way",
        "Something else is under way",
        "One command at a time acts on a server, so that the order of boards is kept.",
        "Wait until it has ended; Stop is always possible.",
        r"\bis under way\b|is being restarted|being set aside",
    ),
    T(
        "run-open",
        "A run is still open",
        "There is one detector and at most one open run: the next one begins when this one is closed, its files moved.",
        "Stop the run, or wait until its files are moved. To take one board out of it or repair it, press Controls "
        "beside that server while the run is running.",
        r"\bRun \d+ is (?:still|open)\b|Single servers are repaired|A run is open",
    ),
    T(
        "no-run",
        "A server is not started alone without a run",
        "Data that are taken while no run is open would belong to nobody.",
        "Press Start run: it takes every board to Running in the right order and opens a run.",
        r"No run is running",
    ),
    T(
        "nothing-to-do",
        "There is nothing to do",
        "Every server is already where this button leads.",
        "Look at the states: the next button is the one that is not grey.",
        r"^Nothing to do|No included board is Running",
    ),
    T(
        "no-hardware",
        "No hardware is set up",
        "The DAQ does not know of any ECC server yet.",
        "An expert makes a setup: open Setup and then Easy setup, or load a setup file.",
        r"No ECC server is set up|[Bb]egin with Easy setup|No hardware set up",
    ),
    T(
        "reconciled",
        "The run was put right by the DAQ",
        "Whoever started or stopped the run was ended in the middle, so the DAQ went by what the hardware says; the "
        "verdict tells what it found.",
        "Read the verdict and look whether the data are complete; say so in the run sheet.",
        r"Its (?:Start|Stop) ended",
        "2.4",
    ),
    T(
        "no-experiment",
        "No experiment is active",
        "A run belongs to an experiment, and none is chosen.",
        "Open Runs, then Experiments: make one of them active, or create a new one first.",
        r"[Nn]o experiment is active|no active experiment",
    ),
    T(
        "host-unknown",
        "The host name is not known",
        "The name of the computer could not be turned into an address. Nothing was sent.",
        "An administrator mends the name service, or an expert writes the numeric address into the setup.",
        r"host name .*(?:is unknown|was not resolved)",
    ),
)
