"""After a failure: who takes part in the next stage all the same. Pure, so that every case can be tried."""

from collections.abc import Callable, Collection, Sequence

from attpcdaq.runcontrol.models import Step
from get_protocol.state_machine import Transition

DOWN = frozenset({Transition.BREAKUP, Transition.UNDO})


def taking_part(
    stage: Sequence[Step],
    lost: Sequence[Step],
    has_mutant: Callable[[Step], bool],
    *,
    opens_run: bool,
) -> Collection[Step]:
    """The steps of `stage` that are carried out although the steps in `lost`, all earlier, failed or were left out.

    A Stop always goes on to its next stage, but nothing else begins before everybody was seen stopped. Others carry on
    without who failed, as far as the order of boards allows: the CoBos are not prepared before the MuTAnT, it is not
    configured or started before them, and nobody is led up again beside a board that could not be led down. A run needs
    everybody.
    """
    transition = stage[0].transition
    if transition == Transition.STOP or not lost:
        return stage
    failed = {step.transition for step in lost}
    if opens_run or Transition.STOP in failed or (transition not in DOWN and failed & DOWN):
        return ()
    names = {step.server_name for step in lost}
    going = [step for step in stage if step.server_name not in names]
    if transition == Transition.PREPARE and any(has_mutant(step) for step in lost):
        return ()
    if transition in (Transition.CONFIGURE, Transition.START) and not all(has_mutant(step) for step in lost):
        return [step for step in going if not has_mutant(step)]
    return going
