"""Judging the DAQ itself: each check at its limits, and what the page shows of it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from attpcdaq.live.beats import Beat
from attpcdaq.runcontrol.seeing.certificate import days_left
from attpcdaq.runcontrol.seeing.system_checks import (
    CERTIFICATE_DAYS,
    FRESH,
    MISSED,
    NEEDS,
    SKEW_FAILS,
    SKEW_WARNS,
    Check,
    SystemSeen,
    Wrong,
    judge,
)
from attpcdaq.runcontrol.seeing.system_health import SETTLES, notices
from attpcdaq.runcontrol.troubles.troubles_system import SYSTEM
from tests.runcontrol.test_troubles import ACTS, MANUAL

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def beat(service: str, host: str = "daq", **more: object) -> Beat:
    values = {"age": 1.0, "up_for": 1000.0, **more}
    return Beat(service, host, **values)


MONITOR = beat("monitor", numbers={"term": 3, "unwritten": 0.5, "broker": 1})
WELL = (beat("web"), beat("events"), beat("celery-control"), beat("celery-files"), MONITOR)


def checks(*beats: Beat, **more: object) -> dict[str, Check]:
    return {check.name: check for check in judge(SystemSeen(beats, **more))}


def without(service: str, *instead: Beat) -> tuple[Beat, ...]:
    return (*(one for one in WELL if one.service != service), *instead)


def bad(found: dict[str, Check]) -> dict[str, str]:
    return {name: check.level for name, check in found.items() if check.level != "ok"}


def test_all_is_well() -> None:
    found = checks(*WELL, certificate_days=100)
    assert bad(found) == {}
    assert set(found) == {"database", "migrations", "broker", *(need[0] for need in NEEDS), "clock", "certificate"}
    assert not any(check.hinders for check in found.values())


@pytest.mark.parametrize(("name", "service", "key", "level"), NEEDS)
def test_a_service_that_is_silent(name: str, service: str, key: str, level: str) -> None:
    assert checks(*without(service, beat(service, age=FRESH, numbers={"broker": 1})))[name].level == "ok"
    late = checks(*without(service, beat(service, age=400.0)))[name]
    assert (late.level, late.key, late.text) == (level, key, "last seen on daq 7 min ago")
    never = checks(*without(service))[name]
    assert (never.level, never.text) == (level, "not running: nothing was heard of it")
    assert late.hinders == (level == "fail")
    # a beat from the future: the database's clock was set back
    assert checks(*without(service, beat(service, age=-400.0)))[name].level == level


def test_one_of_two_is_gone() -> None:
    found = checks(*WELL, beat("celery-control", "second", age=300.0))["worker control"]
    assert (found.level, found.key) == ("warn", "part-gone")
    assert found.text == "at work on daq; on second last seen 5 min ago"
    assert checks(*WELL, beat("celery-control", "second", age=MISSED + 1))["worker control"].level == "ok"


def test_a_monitor_that_stands_by() -> None:
    standby = beat("monitor", "second", numbers={"standby": 1, "broker": 1})
    assert checks(*WELL, standby)["monitor"].text == "at work on daq; second stands by"
    alone = checks(*without("monitor", standby))["monitor"]
    assert (alone.level, alone.text) == ("fail", "nobody is at work; second stands by and takes over")


def test_a_monitor_that_reads_and_does_not_write() -> None:
    mute = beat("monitor", numbers={"unwritten": FRESH + 60, "broker": 1})
    found = checks(*without("monitor", mute))["monitor"]
    assert (found.level, found.text) == ("fail", "on daq it reads, but has written nothing for 75 s")


def test_the_broker_is_judged_by_those_who_need_it() -> None:
    cannot = beat("monitor", numbers={"broker": 0})
    workers_gone = without("celery-control")[:2]
    assert checks(*without("monitor", cannot))["broker"].level == "ok"  # a worker is connected
    found = checks(*workers_gone, cannot)["broker"]
    assert (found.level, found.text) == ("fail", "the monitor on daq cannot reach it")
    assert checks(*workers_gone)["broker"].text == "neither a worker nor the monitor tells of it"
    assert checks(*workers_gone, beat("monitor", age=FRESH + 1, numbers={"broker": 1}))["broker"].level == "fail"


def test_events_are_done_by_web_in_the_demo() -> None:
    both = beat("web", numbers={"stream_clients": 2})
    assert bad(checks(*(one for one in WELL if one.service not in ("web", "events")), both)) == {}


@pytest.mark.parametrize("side", [1, -1])
def test_clocks(side: int) -> None:
    assert checks(*WELL, beat("events", "b", skew=side * SKEW_WARNS))["clock"].level == "ok"
    warned = checks(*WELL, beat("events", "b", skew=side * (SKEW_WARNS + 0.1)))["clock"]
    assert (warned.level, warned.hinders) == ("warn", False)
    failed = checks(*WELL, beat("events", "b", skew=side * 180.0))["clock"]
    assert (failed.level, failed.hinders) == ("fail", True)
    assert failed.text == f"the clock of b (events) is 3 min {'ahead' if side > 0 else 'behind'} of the database's"
    assert checks(*WELL, beat("events", "b", skew=side * SKEW_FAILS))["clock"].level == "warn"
    assert checks(*WELL, beat("events", "b", skew=180.0, age=FRESH + 1))["clock"].level == "ok"


def test_what_was_said_before_the_databases_clock_was_set_back() -> None:
    ahead = beat("celery-files", age=-3600.0)
    words = "before the database's clock was set back"
    assert checks(*without("celery-files", ahead))["worker files"].text == f"last seen on daq {words}"
    assert checks(*WELL, beat("backup", age=-3600.0))["backup"].text == f"made {words}"


def test_what_the_database_has() -> None:
    away = checks(database=Wrong("database-password", "It does not let us in."), readable=False)
    assert away["database"].text == "It does not let us in."
    assert {name for name, check in away.items() if check.hinders} == {"database"}
    assert away["monitor"].text == "not known while the database is away"
    full = checks(*WELL, database=Wrong("database-full", "The disk is full."))
    assert bad(full) == {"database": "fail"}
    old = checks(schema="run manage.py migrate")
    assert {name for name, check in old.items() if check.hinders} == {"migrations"}


def test_certificate() -> None:
    assert checks(*WELL, certificate_days=CERTIFICATE_DAYS)["certificate"].level == "ok"
    assert checks(*WELL, certificate_days=CERTIFICATE_DAYS - 0.1)["certificate"].level == "warn"
    expired = checks(*WELL, certificate_days=-3.0)["certificate"]
    assert (expired.level, expired.text, expired.hinders) == ("fail", "it expired 3 days ago", False)
    assert checks(*WELL, certificate_problem="/x: gone")["certificate"].level == "warn"


def test_backup() -> None:
    assert "backup" not in checks(*WELL)
    assert checks(*WELL, beat("backup", age=25 * 3600.0))["backup"].level == "ok"
    assert checks(*WELL, beat("backup", age=27 * 3600.0))["backup"].text == "made 27.0 h ago"
    assert checks(*WELL, beat("backup", age=27 * 3600.0))["backup"].level == "warn"
    every_hour = {"every_hours": 1}
    assert checks(*WELL, beat("backup", age=7190.0, numbers=every_hour))["backup"].level == "ok"
    assert checks(*WELL, beat("backup", age=7210.0, numbers=every_hour))["backup"].level == "warn"


def test_the_page_is_calm_while_a_system_comes_up() -> None:
    young = beat("web", up_for=SETTLES - 1)
    assert notices(SystemSeen((young,))) == ()
    assert {view.key for view, _ in notices(SystemSeen((beat("web", up_for=SETTLES),)))} == {
        "broker-away",
        "worker-away",
        "files-worker-away",
        "monitor-silent",
        "events-away",
    }
    skewed = beat("web", up_for=1, skew=100.0)
    assert [view.key for view, _ in notices(SystemSeen((skewed,)))] == ["host-clock"]


def test_one_card_names_everything_that_is_gone_with_a_computer() -> None:
    gone = [beat(service, f"far-{service}", age=60.0) for service in ("celery-control", "celery-files")]
    ((view, details),) = notices(SystemSeen((*WELL, *gone)))
    assert view.key == "part-gone"
    assert "on far-celery-control last seen 60 s ago; worker files: " in details
    assert "on far-celery-files last seen 60 s ago" in details


def test_the_page_says_nothing_where_no_system_runs() -> None:
    assert notices(SystemSeen()) == ()
    away = SystemSeen(database=Wrong("database-silent", "It is away."), readable=False)
    assert [view.key for view, _ in notices(away)] == ["database-silent"], "of the rest nothing is known"


def test_a_notice_is_bad_only_where_the_main_job_cannot_be_done() -> None:
    seen = SystemSeen(without("celery-control"), certificate_days=-1)
    assert {view.key: view.level for view, _ in notices(seen)} == {"worker-away": "bad", "certificate": "warn"}


def certificate(until: datetime) -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, until - timedelta(days=90), until)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_the_certificate_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    assert days_left(None, NOW) == (None, "")
    assert days_left(path, NOW) == (None, f"{path}: No such file or directory")
    path.write_bytes(certificate(NOW + timedelta(days=10)))
    assert days_left(path, NOW) == (pytest.approx(10), "")
    assert days_left(path, NOW + timedelta(days=11)) == (pytest.approx(-1), "")
    new = tmp_path / "new.pem"
    new.write_bytes(certificate(NOW + timedelta(days=80)))
    new.rename(path)
    assert days_left(path, NOW)[0] == pytest.approx(80)
    path.write_text("nothing")
    assert days_left(path, NOW) == (None, f"{path} holds no certificate (PEM)")


@pytest.mark.parametrize("one", SYSTEM, ids=lambda one: one.key)
def test_the_manual_says_the_same(one) -> None:
    sections = [part for part in re.split(r"^## ", MANUAL, flags=re.MULTILINE) if part.startswith(f"{one.title}\n")]
    assert len(sections) == 1
    words = " ".join(sections[0].split())
    assert one.meaning in words
    assert one.todo in words
    assert 4 < len(one.title) < 60
    assert ACTS.search(one.todo) or re.search("administrator (?:corrects|mends|reads)", one.todo)


def test_every_check_leads_to_a_section() -> None:
    everything = [*checks(*WELL, certificate_days=1, database=Wrong("database-full", "")).values(), *checks().values()]
    assert {check.key for check in everything} <= {one.key for one in SYSTEM}
    assert all(re.fullmatch("[a-z0-9-]+", check.anchor) for check in everything)
