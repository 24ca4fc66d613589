"""Judging the DAQ itself, purely: what its processes said of themselves in, one check for each thing out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from attpcdaq.live.beats import EVERY, Beat
from attpcdaq.live.clocks import offset_words
from attpcdaq.runcontrol.troubles.troubles_system import BY_KEY

Level = Literal["ok", "warn", "fail"]
FRESH = 3 * EVERY
"""Seconds for which a beat counts."""
MISSED = 600.0
"""Seconds for which one of several processes is missed."""
SKEW_WARNS, SKEW_FAILS = 5.0, 60.0
CERTIFICATE_DAYS = 14.0
BACKUP_HOURS = 26.0
NOT_KNOWN = "not known while the database is away"
Need = tuple[str, str, str, Level]
# check, service, trouble, and how bad it is when nobody of that service is there.
NEEDS: tuple[Need, ...] = (
    ("worker control", "celery-control", "worker-away", "fail"),
    ("worker files", "celery-files", "files-worker-away", "fail"),
    ("monitor", "monitor", "monitor-silent", "fail"),
    ("events", "events", "events-away", "warn"),
    ("web", "web", "web-away", "warn"),
)
SERVICES = tuple(service for _, service, _, _ in NEEDS)
# Without these the main job cannot be done: /health/ready then answers 503.
MATTERS = frozenset({"database", "migrations", "broker", "worker control", "worker files", "monitor", "clock"})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `key` names its trouble (troubles_system)."""

    name: str
    level: Level
    text: str
    key: str

    @property
    def anchor(self) -> str:
        """Of its section in the manual page on troubles."""
        return BY_KEY[self.key].anchor

    @property
    def hinders(self) -> bool:
        """Whether the main job cannot be done."""
        return self.level == "fail" and self.name in MATTERS


@dataclass(frozen=True, slots=True)
class Wrong:
    """A trouble of the database, and what it says."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class SystemSeen:
    """What is known of the DAQ itself at one moment."""

    beats: tuple[Beat, ...] = ()
    database: Wrong | None = None
    readable: bool = True
    """Whether the beats could be read."""
    schema: str = ""
    """Why the program must not work with this database; empty when it may."""
    certificate_days: float | None = None
    """Until it expires; None where no certificate is named."""
    certificate_problem: str = ""


def judge(seen: SystemSeen) -> tuple[Check, ...]:
    """Every check, those that matter most first."""
    known = [_database(seen), _migrations(seen)]
    if not seen.readable or seen.schema:
        why = NOT_KNOWN if not seen.readable else "not known before the database is migrated"
        known += [Check(name, "warn", why, key) for name, _, key, _ in NEEDS]
    else:
        known += [_broker(seen.beats), *(_service(seen.beats, need) for need in NEEDS), _clock(seen.beats)]
        known += _backup(seen.beats)
    return (*known, *_certificate(seen))


def _database(seen: SystemSeen) -> Check:
    if seen.database is not None:
        return Check("database", "fail", seen.database.text, seen.database.key)
    return Check("database", "ok", "answers", "database-silent")


def _migrations(seen: SystemSeen) -> Check:
    if seen.schema:
        return Check("migrations", "fail", seen.schema, "not-migrated")
    if not seen.readable:
        return Check("migrations", "warn", NOT_KNOWN, "not-migrated")
    return Check("migrations", "ok", "the tables are those of this program", "not-migrated")


def _broker(beats: Sequence[Beat]) -> Check:
    """By those who need it: the monitor asks it every few seconds, and a worker beats only while it is connected."""
    asked = [beat for beat in fresh(beats, "monitor") if "broker" in beat.numbers]
    connected = [*fresh(beats, "celery-control"), *fresh(beats, "celery-files")]
    if any(beat.numbers["broker"] for beat in asked):
        return Check("broker", "ok", "answers the monitor", "broker-away")
    if connected:
        return Check("broker", "ok", f"{connected[0].service} is connected to it", "broker-away")
    why = f"the monitor on {asked[0].host} cannot reach it" if asked else "neither a worker nor the monitor tells of it"
    return Check("broker", "fail", why, "broker-away")


def _service(beats: Sequence[Beat], need: Need) -> Check:
    name, service, key, level = need
    there = [beat for beat in fresh(beats, service) if not beat.numbers.get("standby")]
    if there:
        return _at_work(beats, there, need)
    if service == "events" and any("stream_clients" in beat.numbers for beat in fresh(beats, "web")):
        return Check(name, "ok", "done by web", key)
    return Check(name, level, _missing(beats, service), key)


def _at_work(beats: Sequence[Beat], there: Sequence[Beat], need: Need) -> Check:
    name, service, key, level = need
    mute = max(beat.numbers.get("unwritten", 0.0) for beat in there)
    if mute > FRESH:
        return Check(name, level, f"on {_hosts(there)} it reads, but has written nothing for {seconds(mute)}", key)
    missed = [beat for beat in beats if beat.service == service and FRESH < abs(beat.age) <= MISSED]
    if missed:
        text = f"at work on {_hosts(there)}; on {missed[0].host} last seen {ago(missed[0].age)}"
        return Check(name, "warn", text, "part-gone")
    waiting = [beat for beat in fresh(beats, service) if beat.numbers.get("standby")]
    stands_by = f"; {_hosts(waiting)} stands by" if waiting else ""
    return Check(name, "ok", f"at work on {_hosts(there)}{stands_by}", key)


def _missing(beats: Sequence[Beat], service: str) -> str:
    """Nobody is at work: what is known of who was, or stands by."""
    waiting = fresh(beats, service)
    if waiting:
        return f"nobody is at work; {_hosts(waiting)} stands by and takes over"
    last = min((beat for beat in beats if beat.service == service), key=lambda beat: abs(beat.age), default=None)
    if last is None:
        return "not running: nothing was heard of it"
    return f"last seen on {last.host} {ago(last.age)}"


def _clock(beats: Sequence[Beat]) -> Check:
    heard = [beat for service in SERVICES for beat in fresh(beats, service)]
    worst = max(heard, key=lambda beat: abs(beat.skew), default=None)
    if worst is None or abs(worst.skew) <= SKEW_WARNS:
        return Check("clock", "ok", "no host differs from the database by more than 5 s", "host-clock")
    text = f"the clock of {worst.host} ({worst.service}) is {offset_words(worst.skew)} of the database's"
    return Check("clock", "fail" if abs(worst.skew) > SKEW_FAILS else "warn", text, "host-clock")


def _backup(beats: Sequence[Beat]) -> list[Check]:
    """The row of `backup` says when the last one was made, and in `every_hours` how often that is to happen."""
    made = min((beat for beat in beats if beat.service == "backup"), key=lambda beat: beat.age, default=None)
    if made is None:
        return []
    late = made.age > 7200 * made.numbers.get("every_hours", BACKUP_HOURS / 2)
    return [Check("backup", "warn" if late else "ok", f"made {ago(made.age)}", "backup-old")]


def _certificate(seen: SystemSeen) -> list[Check]:
    days = seen.certificate_days
    if seen.certificate_problem:
        return [Check("certificate", "warn", seen.certificate_problem, "certificate")]
    if days is None:
        return []
    if days <= 0:
        return [Check("certificate", "fail", f"it expired {-days:.0f} days ago", "certificate")]
    return [
        Check("certificate", "warn" if days < CERTIFICATE_DAYS else "ok", f"good for {days:.0f} days", "certificate")
    ]


def fresh(beats: Iterable[Beat], service: str) -> list[Beat]:
    """The processes of a service that are at work, or stand by."""
    return [beat for beat in beats if beat.service == service and abs(beat.age) <= FRESH]


def _hosts(beats: Sequence[Beat]) -> str:
    return ", ".join(beat.host for beat in beats)


def ago(age: float) -> str:
    """When something of this age was, in words: "5 min ago"."""
    return f"{seconds(age)} ago" if age >= 0 else "before the database's clock was set back"


def seconds(age: float) -> str:
    """An age as the crew reads it: "40 s", "5 min", "3.1 h", "4 days"."""
    if age < 100:
        return f"{age:.0f} s"
    if age < 6000:
        return f"{age / 60:.0f} min"
    return f"{age / 3600:.1f} h" if age < 172800 else f"{age / 86400:.0f} days"
