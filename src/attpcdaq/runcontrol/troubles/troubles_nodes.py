"""What goes wrong with data routers, nodes and files, in plain words; in the order in which the patterns are tried."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

DEAF = T(
    "router-deaf",
    "The data router was restarted and is deaf",
    "Its board still talks to the process that is gone. The new one receives nothing, not even in the next run, and "
    "neither the board nor the ECC server notices.",
    "Press Go to Ready: it takes the board through Breakup and Configure, which connects it anew. Stop the run first, "
    "if one is open.",
    r"\bdeaf\b|was restarted: its board|must go through Breakup and Configure",
    "4",
)
ROUTER_OFF = T(
    "router-off",
    "The data router is not running",
    "No process of this data router is seen on its node, so nothing that its board sends is written. One that lacks "
    "CoboFormats.xcfg in its directory, or whose control port is taken, ends as soon as it is started.",
    "An expert presses Restart on the data router; then press Go to Ready, which connects its board anew. If it does "
    "not stay alive, its log on the node (dataRouter.log) says why.",
    r"data router is not running|\bis not running\b(?!, so the state)(?! the)|did not stay alive",
    "4, 6",
)
DISK_FULL = T(
    "disk-full",
    "The disk is full or nearly full",
    "Less is left where the data are written than a run may start with. Once it is full, frames are lost without any "
    "other sign.",
    "Stop the run. Have finished runs copied away and space made on that disk; nothing is ever deleted by this page.",
    r"No space left on device|\bdisk is (?:nearly )?full\b(?! in)|\bare free on\b.*no run starts",
    "4",
)
NODE_OFF = T(
    "node-off",
    "The node does not answer",
    "The computer cannot be reached over the network. What its data router writes cannot be seen, and files there "
    "cannot be moved; the boards may go on all the same.",
    "Is it switched on, is the network up? Look at it at the console. Files that lie there are moved when it is back.",
    r"nothing listens there|no connection|no (?:complete )?answer within",
    "0",
)
NODE_GENERIC = T(
    "node-refused",
    "The node said no",
    "The node answered, but refused what was asked; its own words are shown. Nothing was overwritten or deleted.",
    "Look at what the words name (directory, rights, disk) on that node, mend it and try again.",
)

NODES_SAY = (
    T(
        "host-key-changed",
        "The node shows another host key than before",
        "Either it was installed anew, or another computer answers at its address. Nothing was sent to it, and nothing "
        "is until an expert has decided.",
        "Look at the node itself why (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints its fingerprint). If "
        "it is the right one, an expert pins the new key on the Setup page, Host keys, and says why. Else call the "
        "network's administrator.",
        r"HOST KEY HAS CHANGED|Host key is revoked",
    ),
    T(
        "host-key",
        "The node's identity is not known",
        "No host key is pinned for this node, so it cannot be told from another computer. Nothing was sent to it.",
        "An expert compares the fingerprint with the one that the node itself prints (ssh-keygen -lf "
        "/etc/ssh/ssh_host_ed25519_key.pub) and pins it on the Setup page, Host keys. An administrator may as well add "
        "it to the known_hosts file (docs/operations.md).",
        r"host key is not known|Host key",
    ),
    T(
        "ssh-key",
        "The node does not let the DAQ in",
        "The SSH key of the DAQ is not accepted for that user, or none is set up.",
        "An administrator adds the DAQ's public key to authorized_keys of that user on the node, or sets "
        "ATTPCDAQ_SSH_KEY (docs/operations.md).",
        r"does not let '.*' in with the key|ATTPCDAQ_SSH_\w+ is not set|our private key",
    ),
    T(
        "no-sftp",
        "The node offers no file access",
        "SSH works, but its SFTP service is switched off, so files cannot be seen or moved.",
        "An administrator switches the sftp subsystem of sshd on.",
        r"offers no SFTP",
    ),
    T(
        "node-lost",
        "The connection to the node was lost",
        "It broke in the middle of something; what was under way may or may not have been done. It is opened again by "
        "itself, and moving files goes on where it was.",
        "Wait for the next reading. If it happens often, look at the network and at the node.",
        r"the connection was lost",
    ),
    T(
        "no-processes",
        "The node does not tell its processes",
        "The command ps gave nothing, so it cannot be seen whether the data router runs.",
        "Try ps -A -ww -o pid= -o args= on that node as the DAQ's user, and mend what keeps it from working.",
        r"told of no process",
        "6",
    ),
    T(
        "no-directory",
        "The staging directory does not exist",
        "The directory in which the data router should write is not there, or not visible to the DAQ's user.",
        "Make it, mount the disk, or correct it on the Setup page.",
        r"there is no directory",
    ),
    T(
        "file-exists",
        "A file of that name exists already",
        "Something lies where a file should be moved to. Nothing is ever overwritten, so nothing was moved.",
        "Look at both files on the node; move the older one away by hand. The rest is moved at the next try.",
        r"exists already",
        "4",
    ),
    T(
        "bad-name",
        "A file name cannot be used",
        "A name on the node has characters that could lead out of its directory; it was left alone.",
        "Look at that directory on the node and rename the file by hand.",
        r"not a plain file name|not an absolute path|not a path without|not a command line",
    ),
    T(
        "file-missing",
        "A file has disappeared",
        "A file that was listed a moment ago is not there any more: somebody else is moving files on that node.",
        "Ask who works on that node. What is there is moved at the next try.",
        r"there is no /",
    ),
    T(
        "files-unseen",
        "Nobody could see whether files still grow",
        "A Stop is believed when the boards are seen stopped and no file grows; on this node the files could not be "
        "looked at. The run's verdict says so.",
        "Look at that node. If files still grow there when it is back, the page raises the alarm: press Stop again.",
        r"Not seen whether files|could not be looked at",
        "2.4",
    ),
    T(
        "still-growing",
        "Files still grow after Stop",
        "The ECC server says that its board has stopped, but data keep coming: it answers like this when a board is "
        "dead to it, or when it was restarted while the board was Running.",
        "Press Stop again. If they still grow press Go to Ready, and if that does not help Go to Idle, then Go to "
        "Ready (of all boards): Describe and Prepare reach the board. The run stays open until the files are quiet.",
        r"still grow|files are growing",
        "2.4",
    ),
    T(
        "late-frames",
        "Frames came after the files were moved",
        "The data router still had data when the run's files were moved: they lie beside them, with _late1 in their "
        "names. Or the files could not be moved then, with a node away or a disk full, and were when they could.",
        "Nothing is lost. Say so in the run sheet; if it happens every run, tell an expert.",
        r"frames came after the files were moved|_late\d|attached after the run was closed",
        "4",
    ),
    T(
        "no-data",
        "A board runs but no data come",
        "The board is Running, and its file does not grow. The router may be deaf or stuck on its port, the disk "
        "full, the trigger away, or the board does not send.",
        "If one board is silent look at its data router, if all are look at the trigger. A router that is stuck: stop "
        "the run, restart it, press Go to Ready, and start again.",
        r"no data (?:for [0-9]|since)",
        "4",
    ),
    T(
        "not-clean",
        "Files lie in the staging directory",
        "Data files of no run lie where the next run would write. They would be counted with it, so Start is refused.",
        "Wait a moment: they are put in order by themselves once nothing is written any more. Set stray files "
        "aside does it at once; what is nobody's goes to _quarantine/ beside, and nothing is deleted.",
        r"not clean|stray files|staging director\w+ \w* ?holds",
        "4",
    ),
)
