"""In which ways the checker is put to the test: way -> the kind of finding that must come of it."""

WAYS = {
    "a file in another run's directory": "misfiled",
    "a file in two runs": "misfiled",
    "a file deleted": "lost",
    "a file put back into staging": "lost",
    "a row deleted": "lost",
    "a file quarantined without a row": "lost",
    "a file replaced by another": "overwritten",
    "a byte changed": "overwritten",
    "the end of a file cut off": "overwritten",
    "a gap in a run called complete": "unproven",
    "a whole run called incomplete": "unproven",
    "a move that was never ended": "stuck",
}
