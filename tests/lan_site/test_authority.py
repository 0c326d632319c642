"""The demo's certificate authority: what it may sign, how long it lives, who can read its key."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from backend import lan
from backend.lan_site import authority
from backend.lan_site.authority import ensure_certificates, fingerprint

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_keys_are_for_the_owner_alone_and_a_second_start_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "lan"
    first = ensure_certificates(folder, "192.168.1.20", "Anna's Laptop.home", NOW)
    assert first.authority_is_new and first.server_is_new
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("ca-key.pem", "server-key.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    second = ensure_certificates(folder, "192.168.1.20", "Anna's Laptop.home", NOW + timedelta(days=1))
    assert not second.authority_is_new and not second.server_is_new
    assert second.server == first.server
    names = first.server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "anna-s-laptop.local"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.20", "127.0.0.1"]


def test_the_servers_certificate_is_renewed_in_time_and_for_a_new_address(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path, "192.168.1.20", "vm", NOW)
    assert first.server.not_valid_after_utc == NOW + timedelta(days=90)
    kept = ensure_certificates(tmp_path, "192.168.1.20", "vm", NOW + timedelta(days=59))
    assert not kept.server_is_new
    renewed = ensure_certificates(tmp_path, "192.168.1.20", "vm", NOW + timedelta(days=61))
    assert renewed.server_is_new and not renewed.authority_is_new, "a phone that trusts the authority is not bothered"
    moved = ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW + timedelta(days=62))
    assert moved.server_is_new and not moved.authority_is_new


def test_an_authority_that_would_not_outlive_the_server_is_made_anew(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW)
    later = ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW + timedelta(days=300))
    assert later.authority_is_new and later.server_is_new
    assert later.server.not_valid_after_utc <= later.authority.not_valid_after_utc
    assert fingerprint(later.authority) != fingerprint(first.authority)


def test_a_start_that_broke_off_in_between_is_mended(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW)
    (tmp_path / "ca.pem").unlink()  # the state between key and certificate
    mended = ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW)
    assert mended.authority_is_new and mended.server_is_new
    mended.server.verify_directly_issued_by(mended.authority)


@pytest.mark.parametrize("address", ["192.168.1.20", "10.1.2.3", "172.20.0.5", "127.0.0.1"])
def test_a_private_address_verifies(tmp_path: Path, address: str) -> None:
    made = ensure_certificates(tmp_path, address, "vm", NOW)
    builder = PolicyBuilder().store(Store([made.authority])).time(NOW)
    verifier = builder.build_server_verifier(x509.IPAddress(lan.ipaddress.ip_address(address)))
    assert verifier.verify(made.server, [])


@pytest.mark.parametrize("foreign", [x509.DNSName("bank.example"), x509.IPAddress(lan.ipaddress.ip_address("8.8.8.8"))])
def test_with_the_stolen_key_nobody_poses_as_the_open_internet(tmp_path: Path, foreign: x509.GeneralName) -> None:
    made = ensure_certificates(tmp_path, "10.0.0.7", "vm", NOW)
    key = authority._load_key(tmp_path, "ca")
    assert key is not None
    forged, _ = authority._make_server(made.authority, key, [foreign], NOW)
    builder = PolicyBuilder().store(Store([made.authority])).time(NOW)
    assert isinstance(foreign, x509.DNSName | x509.IPAddress)
    with pytest.raises(VerificationError):
        builder.build_server_verifier(foreign).verify(forged, [])


def test_openssl_accepts_it_for_the_address_and_for_nobody_without_the_authority(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, "127.0.0.1", "vm", datetime.now(UTC))

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server-key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/"
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with urlopen(url, context=trusting, timeout=5) as answer:
            assert answer.status == 200
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(url, context=ssl.create_default_context(), timeout=5)
    finally:
        server.shutdown()
        server.server_close()


def test_both_lists_of_private_networks_are_the_same() -> None:
    assert lan.NETWORKS == authority.NETWORKS
