"""The page on http from which a phone takes the authority: certificate files, fingerprint, QR codes, how to remove it.

It cannot be https itself (the phone does not trust us yet), so the page asks its reader to compare the fingerprint
with the one in the terminal. It changes nothing, keeps nothing and knows no person.
"""

from __future__ import annotations

import io
import plistlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import segno
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from backend.lan_site.authority import fingerprint, read_authority

HERE = Path(__file__).parent
STYLES = (HERE.parent / "assets" / "tokens.css", HERE.parent / "assets" / "base.css", HERE / "page.css")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Place:
    """What the page tells: where it is itself, and where the doors are."""

    page: str
    app: str
    console: str


@dataclass(frozen=True)
class Answer:
    """One file of the page."""

    kind: str
    body: bytes
    file_name: str = ""


def make_answers(folder: Path, place: Place) -> dict[str, Answer]:
    """Everything the page serves, by path; made once, since nothing of it changes while it runs."""
    authority = read_authority(folder)
    der = authority.public_bytes(Encoding.DER)
    facts = {
        "place": place,
        "fingerprint_lines": in_lines(fingerprint(authority)),
        "name": common_name(authority),
        "until": authority.not_valid_after_utc,
    }
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    templates.filters["day"] = day
    pages = {
        path: Answer("text/html; charset=utf-8", templates.get_template(name).render(facts).encode())
        for path, name in (("/", "page_zh.html"), ("/en", "page_en.html"))
    }
    return pages | {
        "/healthz": Answer("application/json", b'{"status": "ok"}'),
        "/style.css": Answer("text/css; charset=utf-8", b"\n".join(path.read_bytes() for path in STYLES)),
        "/page.svg": Answer("image/svg+xml", qr_svg(place.page)),
        "/app.svg": Answer("image/svg+xml", qr_svg(place.app)),
        "/anju-ca.crt": Answer("application/x-x509-ca-cert", der, "anju-ca.crt"),
        "/anju-ca.pem": Answer("application/x-pem-file", authority.public_bytes(Encoding.PEM), "anju-ca.pem"),
        "/anju-ca.mobileconfig": Answer("application/x-apple-aspen-config", apple_profile(authority)),
    }


def in_lines(printed: str, width: int = 24) -> list[str]:
    """A fingerprint in lines of eight bytes, as one compares it."""
    return [printed[at : at + width] for at in range(0, len(printed), width)]


def day(moment: datetime, language: str) -> str:
    """A day in the one form each language has: 2026年12月1日 / 1 Dec 2026."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    if language == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {months[moment.month - 1]} {moment.year}"


def common_name(certificate: x509.Certificate) -> str:
    """The name under which a phone lists the authority."""
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def qr_svg(text: str) -> bytes:
    """A QR code as an SVG file."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=6, border=3, dark="#17212f", light="#ffffff")
    return out.getvalue()


def qr_terminal(text: str) -> str:
    """A QR code for a terminal, two dots to a character."""
    out = io.StringIO()
    segno.make(text, error="l").terminal(out, border=2, compact=True)
    return out.getvalue()


def apple_profile(authority: x509.Certificate) -> bytes:
    """The authority as a configuration profile: what an iPhone installs, and removes as one piece."""
    name = common_name(authority)
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:anju:demo:{fingerprint(authority)}")
    common: dict[str, Any] = {"PayloadVersion": 1, "PayloadOrganization": "Anju demo"}
    payload = common | {
        "PayloadType": "com.apple.security.root",
        "PayloadIdentifier": f"anju.demo.ca.{number}",
        "PayloadUUID": str(uuid.uuid5(number, "payload")).upper(),
        "PayloadDisplayName": name,
        "PayloadCertificateFileName": "anju-ca.crt",
        "PayloadContent": authority.public_bytes(Encoding.DER),
    }
    profile = common | {
        "PayloadType": "Configuration",
        "PayloadIdentifier": f"anju.demo.{number}",
        "PayloadUUID": str(number).upper(),
        "PayloadDisplayName": name,
        "PayloadDescription": "Lets this phone open the Anju demo on this network. Remove it afterwards.",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile)


def make_server(addresses: list[str], port: int, answers: dict[str, Answer]) -> list[ThreadingHTTPServer]:
    """A server for each address (the network's and this machine's own), not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "anju", ""
        timeout = 20  # who connects and says nothing is let go

        def do_GET(self) -> None:
            """Answer one of the known paths."""
            answer = answers.get(self.path.partition("?")[0])
            if answer is None:
                self._send(404, Answer("text/plain; charset=utf-8", "没有这一页。 There is no such page.\n".encode()))
            else:
                self._send(200, answer)

        do_HEAD = do_GET

        def _send(self, status: int, answer: Answer) -> None:
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.file_name:
                self.send_header("Content-Disposition", f'attachment; filename="{answer.file_name}"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a phone's address is nobody's business here."""

    return [ThreadingHTTPServer((address, port), Handler) for address in dict.fromkeys(addresses)]
