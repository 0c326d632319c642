"""The demo's own certificate authority: made once, kept in the keys folder, and good for private addresses alone.

A phone that trusts an authority trusts whoever holds its key. So this one is bound by name constraints (RFC 5280,
4.2.1.10) to the networks that do not leave a building and to names under .local: with a stolen key nobody can pose as a
bank. The server's certificate lives 90 days and is renewed at a start when less than 30 are left.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=365)
SERVER_LIFE = timedelta(days=90)
RENEW_AT = timedelta(days=30)
CLOCK_SLACK = timedelta(hours=1)  # a phone's clock may be behind ours
# The same as backend.lan.NETWORKS (a test compares them); this room knows none of ours.
NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
NAMES = ("local", "localhost")


@dataclass(frozen=True)
class Certificates:
    """The authority and the server's certificate of one folder, and whether they were made just now."""

    authority: x509.Certificate
    server: x509.Certificate
    authority_is_new: bool
    server_is_new: bool


def ensure_certificates(folder: Path, address: str, host: str, now: datetime) -> Certificates:
    """Make, keep or renew the certificates in `folder` (0700; private keys 0600) for `address` and `host`.local.

    Files: ca.pem, ca-key.pem, server.pem (with the authority behind it), server-key.pem. The authority is made anew
    when it would not outlive a server's certificate; then phones must install it again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, key = _load(folder, "ca"), _load_key(folder, "ca")
    new = authority is None or key is None or _left(authority, now) < SERVER_LIFE
    if new or authority is None or key is None:
        authority, key = _make_authority(host, now)
        _store(folder, "ca", (authority,), key)
    server = _load(folder, "server")
    names = server_names(address, host)
    renew = (
        server is None
        or _load_key(folder, "server") is None
        or not _signed_by(server, authority)
        or _left(server, now) < RENEW_AT
        or list(server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) != names
    )
    if renew or server is None:
        server, server_key = _make_server(authority, key, names, now)
        _store(folder, "server", (server, authority), server_key)
    return Certificates(authority, server, authority_is_new=new, server_is_new=renew)


def read_authority(folder: Path) -> x509.Certificate:
    """The authority's certificate of `folder`; raises FileNotFoundError when none was made."""
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate as phones and browsers show it: 32 bytes in capitals, with colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def server_names(address: str, host: str) -> list[x509.GeneralName]:
    """What the server answers to: the address on the network, this machine's own, and `host`.local."""
    addresses = dict.fromkeys([address, "127.0.0.1"])
    return [
        *(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses),
        x509.DNSName("localhost"),
        x509.DNSName(f"{plain_host(host)}.local"),
    ]


def plain_host(host: str) -> str:
    """The machine's name as one label of a domain name."""
    label = re.sub(r"[^a-z0-9-]+", "-", host.split(".")[0].lower()).strip("-")
    return label[:63] or "anju"


def _make_authority(host: str, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    # The moment is part of the name: two authorities of one machine are told apart in a phone's list.
    name = f"Anju demo CA {plain_host(host)} {now:%Y-%m-%d %H:%M:%S}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    allowed = [
        *(x509.DNSName(name) for name in NAMES),
        *(x509.IPAddress(ipaddress.ip_network(network)) for network in NETWORKS),
    ]
    builder = (
        _builder(subject, subject, key, now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(allowed, None), critical=True)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_server(
    authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Anju demo")])
    until = min(now + SERVER_LIFE, authority.not_valid_after_utc)
    builder = (
        _builder(subject, authority.subject, key, now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
    )  # fmt: skip
    return builder.sign(authority_key, hashes.SHA256()), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _left(certificate: x509.Certificate, now: datetime) -> timedelta:
    return certificate.not_valid_after_utc - now


def _signed_by(server: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        server.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _load(folder: Path, name: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _load_key(folder: Path, name: str) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key((folder / f"{name}-key.pem").read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _store(
    folder: Path, name: str, chain: tuple[x509.Certificate, ...], key: ec.EllipticCurvePrivateKey
) -> None:  # fmt: skip
    """Write key and chain; a start that breaks off in between leaves a pair that the next start makes anew."""
    (folder / f"{name}.pem").unlink(missing_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / f"{name}-key.pem", private, 0o600)
    _write(
        folder / f"{name}.pem", b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain), 0o644
    )  # fmt: skip


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    os.replace(fresh, path)
