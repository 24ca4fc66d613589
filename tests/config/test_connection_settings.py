"""What the URLs of database and broker may say about TLS."""

from pathlib import Path

import pytest

from attpcdaq.config.database_url import STEADY, database_settings, libpq_parameters
from attpcdaq.config.environment import Environment, SettingsError, read_environment

URL = "postgresql://kim:p%2Fw@db.example.org:5433/daq"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text("only its name counts here")
    return path


def test_without_options_it_is_as_it_was() -> None:
    found = database_settings(URL)
    assert found["OPTIONS"] == STEADY
    assert (found["HOST"], found["PORT"], found["USER"], found["PASSWORD"]) == ("db.example.org", "5433", "kim", "p/w")


def test_tls_goes_to_every_connection(ca: Path) -> None:
    found = database_settings(f"{URL}?sslmode=verify-full&sslrootcert={ca}")
    expected = {**STEADY, "sslmode": "verify-full", "sslrootcert": str(ca)}
    assert found["OPTIONS"] == expected
    raw = {"host": "db.example.org", "port": "5433", "user": "kim", "password": "p/w", "dbname": "daq"}
    assert libpq_parameters(found) == {**raw, **expected}


def test_the_system_s_authorities_and_no_tls_at_all_are_allowed() -> None:
    found = database_settings(f"{URL}?sslmode=verify-full&sslrootcert=system")["OPTIONS"]
    assert found == {**STEADY, "sslmode": "verify-full", "sslrootcert": "system"}
    assert database_settings(f"{URL}?sslmode=disable")["OPTIONS"] == {**STEADY, "sslmode": "disable"}


def test_a_client_certificate_is_allowed(ca: Path) -> None:
    options = f"sslmode=verify-full&sslrootcert={ca}&sslcert={ca}&sslkey={ca}"
    assert database_settings(f"{URL}?{options}")["OPTIONS"]["sslkey"] == str(ca)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("sslmode=prefer", "sslmode=prefer does not make sure who answers; allowed are verify-full and disable"),
        ("sslmode=require", "sslmode=require does not make sure who answers"),
        ("sslmode=verify-ca&sslrootcert=system", "sslmode=verify-ca does not make sure who answers"),
        ("sslmode=", "sslmode= does not make sure who answers"),
        ("sslmode=verify-full", "sslmode=verify-full needs sslrootcert=/path"),
        ("sslrootcert=system", "sslrootcert is only for sslmode=verify-full"),
        ("sslmode=disable&sslrootcert=system", "sslrootcert is only for sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert: there is no file /nowhere/ca.pem"),
        ("sslmode=verify-full&sslrootcert=system&sslcert=/x", "sslcert and sslkey go together"),
        ("connect_timeout=9", "'connect_timeout' is no option that it takes; these are: sslmode, sslrootcert,"),
        ("SSLMODE=verify-full", "'SSLMODE' is no option"),
    ],
)
def test_what_is_refused(monkeypatch: pytest.MonkeyPatch, options: str, why: str) -> None:
    monkeypatch.setenv("ATTPCDAQ_DATABASE_URL", f"{URL}?{options}")
    with pytest.raises(SettingsError) as error:
        read_environment()
    assert str(error.value).startswith(f"ATTPCDAQ_DATABASE_URL is wrong ({why}")
    assert "p%2Fw" not in str(error.value)


def read_with(monkeypatch: pytest.MonkeyPatch, broker_url: str, ca: str) -> Environment:
    monkeypatch.setenv("ATTPCDAQ_BROKER_URL", broker_url)
    monkeypatch.setenv("ATTPCDAQ_BROKER_CA", ca)
    return read_environment()


def test_a_broker_with_tls(monkeypatch: pytest.MonkeyPatch, ca: Path) -> None:
    assert read_with(monkeypatch, "amqps://kim:pw@mq.example.org//", str(ca)).broker_ca == ca


@pytest.mark.parametrize(
    ("url", "path", "why"),
    [
        (
            "amqps://k:w@mq//",
            "",
            "BROKER_CA is wrong (amqps:// is only spoken with a broker whose certificate is verified",
        ),
        (
            "AMQPS://k:w@mq//",
            "",
            "BROKER_CA is wrong (amqps:// is only spoken with a broker whose certificate is verified",
        ),
        ("amqps://k:w@mq//", "/nowhere/ca.pem", "BROKER_CA is wrong (there is no file /nowhere/ca.pem)"),
        ("amqp://k:w@mq//", __file__, "BROKER_CA is wrong (it is only for a broker at amqps://)"),
        ("amqps://k:w@mq//?ssl_cert_reqs=none", __file__, "BROKER_URL is wrong (it is one address, without options"),
        ("amqps://k:w@mq//;amqp://k:w@mq//", __file__, "BROKER_URL is wrong (it is one address, without options"),
    ],
)
def test_a_broker_is_verified_or_refused(monkeypatch: pytest.MonkeyPatch, url: str, path: str, why: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_with(monkeypatch, url, path)
    assert str(error.value).startswith(f"ATTPCDAQ_{why}")
