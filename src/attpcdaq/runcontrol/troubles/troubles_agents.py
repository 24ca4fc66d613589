"""What goes wrong with nodes that are reached through their HTTP agent, in plain words."""

from attpcdaq.runcontrol.troubles.trouble_class import TroubleClass as T

AGENTS_SAY = (
    T(
        "agent-elsewhere",
        "The node's agent watches another directory",
        "The setup names another staging directory than the one of which the agent tells and whose files it moves.",
        "An expert sets staging_dir of that data router to the directory that the agent names (setup file), or "
        "corrects the agent on the node.",
        r"its agent watches .*, and the setup says",
        "8",
    ),
    T(
        "agent-left-files",
        "Files are left on a node that has an agent",
        "They came after the agent had moved a run's files, or it could not move them. Nobody else can see them, and "
        "the agent cannot tell whose they are, so they are left alone and no run starts.",
        "Somebody logs in on that node, looks at the names and times of the files and moves them into the directory of "
        "their run, or aside. Say so in the run sheet.",
        r"its agent cannot tell whose",
        "4, 8",
    ),
    T(
        "agent-beyond",
        "An agent cannot do that",
        "That node is reached through its HTTP agent instead of SSH: it counts and moves the files of its one data "
        "router, and can do nothing else.",
        "Do it on the node itself, or have an expert set the node's access to ssh in the setup file.",
        r"is reached through its HTTP agent, which",
        "8",
    ),
    T(
        "agent-problem",
        "The agent of the node has a problem",
        "It answers, but not with how its data router is: as a rule because that does not run. Its own words are "
        "shown. What lies on that node is not known meanwhile.",
        "Somebody looks on that node whether the data router (dataRouter or DataExporter) runs, starts it, and then "
        "presses Go to Ready. If it does run, start the agent anew.",
        r"its agent (?:has a problem|did not move|answered)",
        "8",
    ),
)
