"""How the registry listens: plain HTTP on this machine in the demo, mutual TLS everywhere else.

gunicorn reads this module as its configuration (`--config python:backend.registry.serving`) and asks `ssl_context` for
each connection, so that the failure `broken_chain` can be switched while the registry runs.
"""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from backend.registry.database import Database
from backend.registry.faults import Faults
from backend.registry.problems import Problem
from backend.registry.settings import RegistrySettings
from backend.wire.jwk import make_private_key, private_key_to_pem
from backend.wire.registry_codes import item_error

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME: a certificate that is out of date comes through the handshake, and the caller is
# told so in words (1002) instead of by a broken line. `check_certificate` refuses it before anything else is looked at.
_TIME_IS_CHECKED_LATER = 0x200000
_CERTIFICATE_TIME = "%b %d %H:%M:%S %Y GMT"


def gunicorn_command(settings: RegistrySettings) -> list[str]:
    """The command line that serves the registry; raises SettingsRefused when it must not run like this."""
    settings.refuse_unsafe()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        f"--bind={settings.host}:{settings.port}",
        "--worker-class=gthread",
        f"--workers={settings.workers}",
        "--threads=8",
        "--graceful-timeout=5",
        "--timeout=60",
        "--no-control-socket",
    ]
    if settings.serves_tls:
        command += [
            "--config=python:backend.registry.serving",
            f"--certfile={settings.tls_cert}",
            f"--keyfile={settings.tls_key}",
            f"--ca-certs={settings.client_ca}",
            f"--cert-reqs={int(ssl.CERT_REQUIRED)}",
        ]
    return [*command, "backend.registry.app:create_registry_app()"]


def ssl_context(_conf: Any, make_default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """gunicorn's hook: what one connection is met with."""
    context = make_default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= _TIME_IS_CHECKED_LATER
    settings = RegistrySettings.from_environment()
    if settings.switches and _faults(settings.url).take("broken_chain") is not None:
        context.load_cert_chain(_strangers_certificate())
    return context


def check_certificate(environ: Mapping[str, Any], now: datetime) -> None:
    """Refuse a call that came without a client's certificate (1001) or with one out of date (1002)."""
    line = environ.get("gunicorn.socket")
    certificate = line.getpeercert() if isinstance(line, ssl.SSLSocket) else None
    if not certificate:
        raise Problem(401, item_error("1001", "/certificate"))
    from_, until = (
        datetime.strptime(str(certificate[name]), _CERTIFICATE_TIME).replace(tzinfo=UTC)
        for name in ("notBefore", "notAfter")
    )
    if not from_ <= now <= until:
        raise Problem(401, item_error("1002", "/certificate"))


def cut_the_line(environ: Mapping[str, Any]) -> None:
    """End the connection without an answer, where there is one (not in a test that calls the app itself)."""
    line = environ.get("gunicorn.socket")
    if isinstance(line, socket.socket):
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


@cache
def _faults(url: str) -> Faults:
    return Faults(Database(url))


@cache
def _strangers_certificate() -> str:
    """A file with key and certificate of nobody: no authority signed it, and it is for no host."""
    key, now = make_private_key(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broken chain")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    path = Path(tempfile.mkdtemp(prefix="anju-registry-")) / "stranger.pem"
    path.touch(mode=0o600)
    path.write_bytes(private_key_to_pem(key) + made.public_bytes(Encoding.PEM))
    return str(path)
