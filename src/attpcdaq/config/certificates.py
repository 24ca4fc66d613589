"""A small certificate authority of our own: keys and certificates as PEM, made and compared. Touches no file."""

import ipaddress
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_DAYS = 397
"""The longest that browsers accept."""
AUTHORITY_DAYS = 3650
EARLIER = timedelta(days=1)
"""Valid from this long ago: a clock that is late must not refuse what was made a moment ago."""
ALWAYS = ("localhost", "127.0.0.1", "db", "rabbitmq")
"""Names that every server certificate has: this computer, and the services inside the stack."""
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
Signer = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def new_key() -> bytes:
    """A private key (P-256) as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def authority(key: bytes, now: datetime) -> bytes:
    """The authority's own certificate for its `key`."""
    signer = _signer(key)
    name = _name("AT-TPC DAQ certificate authority")
    made = _builder(name, name, signer, now, now + timedelta(days=AUTHORITY_DAYS))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
    return _signed(made, signer)


def server(key: bytes, names: Iterable[str], ca: bytes, ca_key: bytes, now: datetime) -> bytes:
    """A server's certificate for its `key` and `names` (see `checked_names`), no longer valid than the authority's."""
    issuer, signer, own = x509.load_pem_x509_certificate(ca), _signer(ca_key), _signer(key)
    names = list(names)
    until = min(now + timedelta(days=SERVER_DAYS), issuer.not_valid_after_utc)
    made = _builder(_name(names[0][:64]), issuer.subject, own, now, until)
    made = made.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage("digital_signature"), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    akid = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
    return _signed(made.add_extension(akid, critical=False), signer)


def checked_names(names: Iterable[str]) -> list[str]:
    """`names` and those that are always there, each once, small letters; ValueError names the first that is none."""
    found = dict.fromkeys(name.strip().lower().rstrip(".") for name in [*names, *ALWAYS])
    for name in found:
        if not (_address(name) or HOST_NAME.fullmatch(name)):
            raise ValueError(f"{name!r} is neither a host name (letters, digits, hyphens, dots) nor an IP address")
    return list(found)


def names_of(certificate: bytes) -> list[str]:
    """The host names and addresses that a certificate holds for."""
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def valid_until(certificate: bytes) -> datetime:
    """When it expires, with time zone."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def belongs(certificate: bytes, key: bytes) -> bool:
    """Whether the certificate is for this private key; ValueError when either cannot be read."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    shown = x509.load_pem_x509_certificate(certificate).public_key().public_bytes(*form)
    return shown == _load(key).public_key().public_bytes(*form)


def issued_by(certificate: bytes, ca: bytes) -> bool:
    """Whether the authority signed it."""
    try:
        x509.load_pem_x509_certificate(certificate).verify_directly_issued_by(x509.load_pem_x509_certificate(ca))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):  # or none, or by a key that signs otherwise
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Signer, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return made.serial_number(x509.random_serial_number()).not_valid_before(now - EARLIER).not_valid_after(until)


def _signed(made: x509.CertificateBuilder, signer: Signer) -> bytes:
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _load(key: bytes) -> PrivateKeyTypes:
    return serialization.load_pem_private_key(key, None)


def _signer(key: bytes) -> Signer:
    loaded = _load(key)
    if isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return loaded
    raise ValueError("the key is of a kind that is not used here: it must be an EC or RSA key")


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*used: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in used for usage in USAGES})


def _alternative(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.IPAddress(address) if address else x509.DNSName(name)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
