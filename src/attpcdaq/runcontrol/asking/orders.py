"""What every order has in common: does it make sense, and how it is written down."""

import logging
from collections.abc import Sequence
from functools import partial

from django.db import transaction

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.doing.claims import lifetime
from attpcdaq.runcontrol.doing.endings import whom
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runcontrol.planning.plan import ACTIONS, Plan
from attpcdaq.runcontrol.seeing.gather import Rows, config_part
from attpcdaq.runlog.models import Run

logger = logging.getLogger(__name__)


def check_words(action: str, targets: Sequence[str] | None, rows: Rows) -> None:
    """BadCommand for what makes no sense whatever the state is."""
    if action not in ACTIONS:
        raise BadCommand("action", f"{action!r} is not one of {', '.join(ACTIONS)}.")
    known = [server.name for server in rows.servers]
    unknown = [repr(name) for name in targets or () if name not in known]
    if unknown:
        raise BadCommand("ecc_servers", f"there is no {', '.join(unknown)}; known are {', '.join(known) or 'none'}.")
    if targets is not None and not targets:
        raise BadCommand("ecc_servers", "name at least one ECC server, or leave it out (null) for the whole system.")


def write(agreed: Plan, targets: Sequence[str] | None, by: Requester, rows: Rows, run: Run | None) -> Command:
    """The command with its steps, its event and its line in the audit trail; wakes a worker up when it is committed."""
    command = Command.objects.create(
        action=agreed.action,
        targets=None if targets is None else list(targets),
        run=run,
        requested_by=by.name,
        origin=by.origin,
        user_id=by.user.pk if by.user else None,
        request_id=by.request_id,
        requested_at=rows.now,
        expires_at=rows.now + lifetime(agreed.action),
        published_at=rows.now,
    )
    servers = {server.name: server for server in rows.servers}
    Step.objects.bulk_create(
        Step(
            command=command,
            stage=number,
            ecc_server=servers[name],
            server_name=name,
            transition=stage.transition,
            goal=stage.goal,
            config=config_part(servers[name], stage.transition),
        )
        for number, stage in enumerate(agreed.stages)
        for name in stage.servers
    )
    label = command.get_action_display()
    add_event("command", f"{by.name}: {label} for {whom(targets)}", subject=label, at=rows.now)
    accepted(command, by, rows)
    return command


def accepted(command: Command, by: Requester, rows: Rows, text: str = "") -> None:
    """Say in the audit trail who asked for it, and wake a worker up."""
    subject = whom(command.targets)
    words = f"{command.get_action_display()} for {subject} is accepted. {text}".strip()
    transaction.on_commit(partial(logger.info, "%s", words, extra={"command": command.pk}))
    trail.record(by, command.action, Outcome.ACCEPTED, subject=subject, text=text, command=command.pk, at=rows.now)
    transaction.on_commit(partial(publish.publish_command, command.pk))
