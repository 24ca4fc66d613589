"""Pure: why no data were taken, in the words of the pages: what the crew names, and what the DAQ tells by itself."""

from attpcdaq.shifts.models import LossCause


class Cause:
    """Causes that the DAQ tells by itself; a trouble of its own counts as the crew's "Data acquisition"."""

    DAQ = str(LossCause.DAQ.value)
    CHANGING = "changing"
    ELSEWHERE = "elsewhere"
    UNNAMED = "unnamed"


OWN_LABELS = {
    Cause.CHANGING: "Starting, stopping, configuring",
    Cause.ELSEWHERE: "Runs of another experiment",
    Cause.UNNAMED: "No run, and nobody said why",
}
LABELS: dict[str, str] = {str(value): str(label) for value, label in LossCause.choices} | OWN_LABELS
"""Of every cause, in the order in which tables show them."""


def label_of(cause: str) -> str:
    """In words."""
    return LABELS.get(cause, cause)
