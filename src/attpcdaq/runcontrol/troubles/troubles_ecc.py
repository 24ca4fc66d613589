"""What goes wrong in ECC servers and boards, in plain words; in the order in which the patterns are tried."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

WEDGED = T(
    "wedged",
    "The ECC server is wedged",
    "It answers, but reports state 0. This comes from a Breakup that failed, as a rule because a board had died or was "
    "rebooted. From now on it answers success to every call and does nothing.",
    "Only a new ECC process helps: an expert presses Restart on this server. Then press Go to Ready. If the board "
    "behind it is off, switch that on first.",
    r"\bwedged\b|\(state 0\)",
    "2.4",
)
STILL_BUSY = T(
    "still-busy",
    "A call still blocks in the ECC server",
    "We have stopped waiting for a call, but the ECC server has not: it works on that call until its board answers, "
    "and refuses every other one meanwhile. It has no time limit of its own and no way to cancel.",
    "Give it a minute: a slow board may still answer, and the page then shows the state it reached. If nothing moves, "
    "an expert restarts the ECC server; then press Go to Ready.",
    r"still busy with",
    "2.3",
)
PAUSED = T(
    "paused",
    "The ECC server is Paused",
    "Somebody paused it with another program. Resume would kill the ECC server, so this page does not offer it.",
    "Press Stop, or Go to Ready: both lead out of it.",
    r"\b[Ii]t is Paused\b",
    "1.5",
)
UNKNOWN = T(
    "unknown",
    "The state is unknown",
    "The ECC server has not answered for more than 5 s. Whatever it said before does not count any more, and nothing "
    "is sent to it, Stop excepted.",
    "Read the problem shown beside it: is the node on, is the network up, does the ECC process run? An expert can "
    "restart the ECC server. To go on without it, exclude it and say why.",
    r"\bits state is unknown\b|\bState unknown\b",
    "6",
)
ECC_GENERIC = T(
    "refused",
    "The ECC server said no",
    "It, or a board behind it, refused the call; its own words are shown. It stays in the state where it was, and "
    "nothing else was done.",
    "Look at what the words name (board, file, address), mend that and press Retry. Its log on the node "
    "(getEccSoapServer.log) tells more.",
    facts="1.4, 2.4",
)

SERVER_SAYS = (
    T(
        "server-busy",
        "The ECC server is busy",
        "It is working on another transition and refuses a second one; the running one is not disturbed.",
        "Wait until the state shown is no longer moving, then press Retry. If it never ends, see "
        "“A call still blocks in the ECC server”.",
        r"ECC state machine is busy",
        "1.4, 2.3",
    ),
    T(
        "config-invalid",
        "The configuration was not understood",
        "The ECC server got a configuration with no usable name in it. Nothing was done.",
        "Choose the configuration of this server again (Setup page), then press Retry. If it happens again, tell an "
        "expert: another control program may be talking to this server.",
        r"Configuration identifier .*is not valid",
        "1.2, 1.4",
    ),
    T(
        "config-missing",
        "The configuration file does not exist",
        "There is no .xcfg file of that name in the ECC server's directory: it was renamed, removed, or is on another "
        "node. Prepare reads the file configure-<name>.xcfg, not prepare-<name>.xcfg.",
        "Put the file back, or choose another configuration on the Setup page (press Fetch first). No restart is "
        "needed: the directory is read at every call.",
        r"Configuration '.*' does not exist",
        "1.4, 3",
    ),
    T(
        "config-broken",
        "The configuration file cannot be read",
        "The .xcfg file exists, but its contents are not valid XML; the words name the file and the line.",
        "Mend that line, or put the previous version of the file back, then press Retry. No restart is needed.",
        r"Error loading the document located at|text stream is not valid XML",
        "1.4",
    ),
    T(
        "board-off",
        "The board does not answer its ECC server",
        "Describe could not connect to the board at the address in the describe file: it is off, booting, unplugged, "
        "or the address is wrong.",
        "Look at the crate and the cable; wait a minute if it was just switched on. Then press Retry. To go on without "
        "it, exclude the server and say why.",
        r"Could not connect to '[^']*' node|Connection to HW node",
        "1.4",
    ),
    T(
        "alarm-port",
        "Two ECC servers share an alarm port",
        "A port that this ECC server needs is taken, as a rule the alarm port 46011 by another ECC server on the same "
        "node: Describe works, and every Prepare fails.",
        "An expert gives each ECC server on that node its own --alarm-port and restarts this one.",
        r"Address already in use|Could not create alarm logger",
        "1.4, 6",
    ),
    T(
        "start-board-dead",
        "The board died before Start",
        "The board could not be told to start: its server is gone although it was configured.",
        "Look at the board (power, network). When it is back press Go to Idle for this server, then Go to Ready.",
        r"Could not start run",
        "1.4",
    ),
    T(
        "breakup-failed",
        "Breakup failed",
        "The board did not answer while it was being let go; the ECC server is wedged afterwards (state 0).",
        "Switch the board on, let an expert restart the ECC server, then press Go to Ready.",
        r"Unknown error!",
        "1.4, 2.4",
    ),
    T(
        "board-died",
        "The board was lost after Describe",
        "The ECC server had a connection to the board and now gets none: the board died or was rebooted.",
        "Look at the board. When it is back press Go to Idle for this server (if that fails it is wedged: restart the "
        "ECC server), then Go to Ready.",
        r"Connection(?:Refused|Lost)Exception|Connect(?:ion)?TimeoutException|Ice exception",
        "1.4",
    ),
    T(
        "asad-missing",
        "An AsAd board is not connected",
        "The configuration switches an AsAd on which the CoBo does not see: cable, power, or the wrong configuration.",
        "Check the cable and power of the AsAd that is named, or choose a configuration without it. Then press Retry.",
        r"AsAd board no\. ?\d+ is not connected",
        "1.4",
    ),
    T(
        "no-data-link",
        "No data router is set up for the board",
        "Configure needs to know where the board shall send its data, and nothing usable was set up for it.",
        "An expert gives the board a data router on the Setup page, with the sender exactly as Describe lists it "
        "(CoBo[0], Mutant[master]). Then press Retry.",
        r"Could not find a valid data router for data sender",
        "1.4, 3",
    ),
    T(
        "link-type",
        "The data link has the wrong type",
        "The board does not know the type of its data link; types are TCP, FDT, ZBUF and ICE, in capital letters.",
        "An expert corrects the type of the data router on the Setup page: it must be the one that the router was "
        "started with. Then press Retry.",
        r"Unknown data (?:sender|router) type",
        "1.4, 3",
    ),
    T(
        "router-refused",
        "The board cannot reach its data router",
        "The data router does not run, listens at another address, or still holds its previous connection. After a "
        "restart of the ECC server the first Configure may fail like this and the second one works.",
        "Press Retry once. If it fails again look at the data router beside it: an expert restarts it. Then press "
        "Go to Ready.",
        r"Failed to connect to data router.*(?:refused|errno|timed out)|Could not establish data link",
        "1.4, 2.4, 4",
    ),
    T(
        "link-failed",
        "The board could not be connected to its data router",
        "The board itself refused the data link; its words are shown.",
        "Press Retry. If it fails again press Go to Idle and Go to Ready for this server; then look at the board.",
        r"Could not connect data sender",
        "1.4",
    ),
    T(
        "special-command",
        "A special command was not known",
        "The ECC server got a maintenance command that it does not know. This page sends none, so it came from another "
        "program.",
        "Ask who else is working with this ECC server.",
        r"Special command '.*' is unknown",
        "1.3",
    ),
    T(
        "soap-fault",
        "What answers there is another kind of server",
        "The request was not recognised. It is no ECC server of this release, or a proxy stands between.",
        "An expert compares address and port with the node (getEccSoapServer -p) and corrects the Setup page.",
        r"SOAP fault|Method '.*' not implemented|Data required for operation",
        "1.2, 1.5",
    ),
    T(
        "bad-reply",
        "The answer makes no sense",
        "Something answered, but not in the words of an ECC server: another program on that port, or a broken "
        "connection. What came of the call is unknown.",
        "Wait for the next reading of the state and go by that. If it stays so, an expert compares address and port "
        "with the node.",
        r"answered what an ECC server does not|answer is not HTTP|answer (?:ended|has|is larger)|within its answer",
        "1.1",
    ),
    T(
        "vanished",
        "The ECC server ended while it was asked",
        "It closed the connection without an answer, as it does when its process crashes or is ended.",
        "Wait for the state: if it stays unknown the process is gone, and an expert restarts the ECC server; then "
        "press Go to Ready. Its boards go on sending until Describe and Prepare reach them.",
        r"closed the connection without an answer|broke off the connection without an answer",
        "1.5, 2.4",
    ),
    T(
        "did-nothing",
        "It answered success but did nothing",
        "An ECC server ignores a call that does not fit its state and says success all the same. Only the state that "
        "was read back counts.",
        "Look at its state and press Go to Ready or Go to Idle: the way from there is worked out.",
        r"answered success, but did nothing",
        "2.2",
    ),
    T(
        "board-restarted",
        "The board was restarted behind its ECC server",
        "It has lost what Describe and Prepare told it, and the ECC server does not know: Prepare and Configure fail "
        "again and again.",
        "Press Go to Idle, then Go to Ready: Describe connects the board anew. If Breakup fails on the way the ECC "
        "server is wedged: an expert restarts it, then press Go to Ready.",
        r"board was restarted|does not know this ECC server",
        "2.4",
    ),
    T(
        "board-refused",
        "A board refused",
        "The board that is named said no; its own words are shown. The ECC server stays where it was.",
        "Mend what the board says, then press Retry. If it does not help, Go to Idle and Go to Ready for this server.",
        r"[A-Za-z]+\[\w+\]: .*\|",
        "1.4, 2.4",
    ),
)
