"""What an operator meets one day: each gives a plain message where he looks, and loses nothing."""

import json
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from tests.deploy.door import Door
from tests.deploy.programs import Failed
from tests.deploy.runner import Checks, expect, wait_for
from tests.deploy.stack import Stack


def check_port_taken(checks: Checks, stack: Stack) -> None:
    """In a copy where nothing runs."""
    with checks("a port that is taken: `up` says which, and which setting gives another"), socket.socket() as holder:
        holder.bind(("127.0.0.1", stack.https))
        holder.listen()
        said = stack.verb("up", status=1, seconds=60)
        expect(f"port {stack.https} on 127.0.0.1 cannot be had" in said and "ATTPCDAQ_HTTPS_PORT" in said, said)
        expect(not stack.containers(), "containers were made all the same")


def check_wrong_password(checks: Checks, stack: Stack) -> None:
    settings = stack.root / ".env"
    right = settings.read_text()
    name = "POSTGRES_PASSWORD="
    with checks("a wrong password of the database: `up` says so and ends"):
        lines = [f"{name}wrong" if line.startswith(name) else line for line in right.splitlines()]
        settings.write_text("\n".join([*lines, ""]))
        try:
            said = stack.verb("up", status=1)
            expect("password authentication failed" in said, said[-1200:])
        finally:
            settings.write_text(right)


def check_database_away(checks: Checks, stack: Stack) -> None:
    door = Door(stack)
    with checks("no database: the pages say so plainly, /health/live lives, /health/ready does not"):
        stack.compose("stop", "db")
        try:
            wait_for(lambda: door.get("/health/ready").status == 503, "/health/ready to say 503", 20)
            page = door.get("/login/")
            expect(page.status in (200, 503), page.status)
            status = door.get("/api/v1/status", Authorization="Bearer none")
            expect(status.status == 503 and "database" in status.text, (status.status, status.text[:300]))
            expect(door.get("/health/live").status == 200)
        finally:
            stack.compose("start", "db")
        wait_for(lambda: door.get("/health/ready").status == 200, "/health/ready to be well again", 60)


def check_not_migrated(checks: Checks, stack: Stack) -> Callable[[], None]:
    """What is to be called some seconds later: the answer is looked up anew now and then only."""
    row = "app = 'runlog' AND name = (SELECT max(name) FROM django_migrations WHERE app = 'runlog')"
    stack.ask(f"CREATE TABLE kept_row AS SELECT * FROM django_migrations WHERE {row}")
    stack.ask(f"DELETE FROM django_migrations WHERE {row}")

    def look() -> None:
        with checks("migrations that were not applied: /health/ready names them") as note:
            try:
                wait_for(lambda: _checks(stack)["migrations"] != "ok", "a word about migrations", 40)
                note(_checks(stack)["migrations"])
            finally:
                stack.ask("INSERT INTO django_migrations SELECT * FROM kept_row")
                stack.ask("DROP TABLE kept_row")

    return look


def check_expired_certificate(checks: Checks, stack: Stack) -> None:
    path = stack.root / "secrets/tls/cert.pem"
    with checks("an expired certificate: /health/ready says so, and http on this computer goes on") as note:
        # In place: the containers have this very file.
        path.write_bytes(_expired(stack))
        wait_for(lambda: "expired" in _checks(stack)["certificate"], "a word about the certificate", 60)
        note(_checks(stack)["certificate"])
        stack.compose("restart", "nginx")
        wait_for(lambda: Door(stack).get("/health/live", secure=False).status == 200, "http", 30)
        try:
            Door(stack).get("/health/live")
        except ssl.SSLCertVerificationError as error:
            note(error.verify_message)
        else:
            raise Failed("an expired certificate was believed")
    with checks("`renew-certificate` makes it good again"):
        stack.verb("renew-certificate")
        wait_for(lambda: Door(stack).get("/health/live").status == 200, "https", 30)
        wait_for(lambda: _checks(stack)["certificate"] == "ok", "a good certificate", 60)


def check_down_and_up(checks: Checks, stack: Stack, kept: str) -> None:
    with checks("`down` ends every container and keeps the data; `up`, with the right password, has them again"):
        stack.verb("down")
        expect(not stack.containers(), list(stack.containers()))
        stack.verb("up")
        expect(stack.ask("SELECT count(*) FROM runlog_run") == kept)


def _checks(stack: Stack) -> dict[str, str]:
    found: dict[str, str] = json.loads(Door(stack).get("/health/ready", secure=False).text)["checks"]
    return found


def _expired(stack: Stack) -> bytes:
    """The same certificate as it would be a year later: signed by the same authority, and over since yesterday."""
    folder = stack.root / "secrets/tls"
    old = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((folder / "ca-key.pem").read_bytes(), None)
    assert isinstance(key, CertificateIssuerPrivateKeyTypes)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject).issuer_name(authority.subject).public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90)).not_valid_after(now - timedelta(days=1))
    )  # fmt: skip
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)
