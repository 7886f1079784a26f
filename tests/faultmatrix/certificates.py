"""Certificates that are right, and wrong in each way that a client has to tell apart; made anew each time."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = x509.IPAddress(IPv4Address("127.0.0.1"))
NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


def certificates(folder: Path) -> dict[str, Path]:
    """PEM files by what they are: `authority` has signed all but `self-signed`; those of servers hold their keys."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _signed("An authority", key, None, key, NOW + YEAR)
    made = {
        "signed": _server(authority, key, HERE, NOW + YEAR),
        "expired": _server(authority, key, HERE, NOW - YEAR),
        "other host": _server(authority, key, x509.DNSName("example.org"), NOW + YEAR),
        "self-signed": _server(None, None, HERE, NOW + YEAR),
        "authority": authority.public_bytes(serialization.Encoding.PEM),
    }
    for name, data in made.items():
        (folder / f"{name}.pem").write_bytes(data)
    return {name: folder / f"{name}.pem" for name in made}


def _server(
    authority: x509.Certificate | None, signing: ec.EllipticCurvePrivateKey | None, host: x509.GeneralName, until: datetime
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _signed("A server", key, host, signing or key, until, authority)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + signed.public_bytes(serialization.Encoding.PEM)


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    host: x509.GeneralName | None,
    signing: ec.EllipticCurvePrivateKey,
    until: datetime,
    authority: x509.Certificate | None = None,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    building = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.subject if authority else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - 2 * YEAR)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        building = building.add_extension(x509.SubjectAlternativeName([host]), critical=False)
    return building.sign(signing, hashes.SHA256())
