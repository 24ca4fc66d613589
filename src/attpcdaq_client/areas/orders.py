"""Orders: commands, adopting, exclusions, restarts, control, preferences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from attpcdaq_client.areas.area import Accepted, Area
from attpcdaq_client.areas.runs import Run
from attpcdaq_client.areas.status import Command, Control, Exclusion
from attpcdaq_client.calls import Call, Model

ActionName = Literal["describe", "prepare", "configure", "start", "stop", "breakup", "undo", "go_ready", "go_idle"]
ControlAction = Literal["take", "ask", "hand_over", "release", "decline", "force"]


class Restart(Model):
    """What came of a restart."""

    id: str
    state: str
    kind: str = ""
    name: str = ""
    message: str = ""
    requested_by: str = ""
    requested_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def over(self) -> bool:
        return self.finished_at is not None


class Preferences(Model):
    """How runs are started."""

    reconfigure_mutant: bool
    min_free_gb: float = 0.0


COMMAND = Call("POST", "/commands", Accepted, body=("action", "ecc_servers", "title", "run_class", "confirm", "plan"))
COMMAND_BY_ID = Call("GET", "/commands/{command_id}", Command)
ADOPT = Call("POST", "/adopt", Run, body=("title", "run_class"))
SET_ASIDE = Call("POST", "/set-aside", type(None))
EXCLUDE = Call("POST", "/exclusions", Exclusion, body=("ecc_server", "reason"))
INCLUDE = Call("DELETE", "/exclusions/{ecc_server}", type(None))
RESTART = Call("POST", "/restarts", Accepted, body=("kind", "name", "confirm"))
RESTART_BY_ID = Call("GET", "/restarts/{restart_id}", Restart)
CONTROL = Call("GET", "/control", Control)
CHANGE_CONTROL = Call("POST", "/control", Control, body=("action", "to", "reason", "holder"))
PREFER = Call("POST", "/preferences", Preferences, body=("reconfigure_mutant", "min_free_gb"))


class Orders(Area):
    """What changes the state of the detector."""

    def give(
        self,
        action: ActionName,
        ecc_servers: Sequence[str] | None = None,
        *,
        title: str = "",
        run_class: str = "",
        confirm: bool = False,
        plan: str = "",
    ) -> Accepted:
        """Ask for an operation of the whole system, or of these ECC servers. Refused says every reason."""
        body = {
            "action": action,
            "ecc_servers": list(ecc_servers) if ecc_servers else None,
            "title": title,
            "run_class": run_class,
            "confirm": confirm,
            "plan": plan,
        }
        return self._send(COMMAND, body=body)

    def command(self, command_id: str) -> Command:
        """An order with its steps."""
        return self._send(COMMAND_BY_ID, command_id=command_id)

    def adopt(self, title: str = "", run_class: str = "") -> Run:
        """Make a run of boards that were found Running."""
        return self._send(ADOPT, body={"title": title, "run_class": run_class})

    def set_aside(self) -> None:
        """Ask for files that lie in staging directories without a run to be put aside."""
        return self._send(SET_ASIDE)

    def exclude(self, ecc_server: str, reason: str) -> Exclusion:
        """Go on without an ECC server."""
        return self._send(EXCLUDE, body={"ecc_server": ecc_server, "reason": reason})

    def include(self, ecc_server: str) -> None:
        """Take it back in."""
        return self._send(INCLUDE, ecc_server=ecc_server)

    def restart(self, kind: Literal["ecc", "router"], name: str, *, confirm: bool = False) -> Accepted:
        """Restart an ECC server or a data router; for experts."""
        return self._send(RESTART, body={"kind": kind, "name": name, "confirm": confirm})

    def restarted(self, restart_id: str) -> Restart:
        """What came of it."""
        return self._send(RESTART_BY_ID, restart_id=restart_id)

    def control(self) -> Control:
        """Who is in charge."""
        return self._send(CONTROL)

    def change_control(self, action: ControlAction, *, to: str = "", reason: str = "", holder: str = "") -> Control:
        """`to` for hand_over; `reason` and the `holder` that was seen for force."""
        return self._send(CHANGE_CONTROL, body={"action": action, "to": to, "reason": reason, "holder": holder})

    def prefer(self, *, reconfigure_mutant: bool | None = None, min_free_gb: float | None = None) -> Preferences:
        """How runs are started from now on; what is None stays. For experts."""
        return self._send(PREFER, body={"reconfigure_mutant": reconfigure_mutant, "min_free_gb": min_free_gb})
