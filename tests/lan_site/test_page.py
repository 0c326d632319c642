"""The page for phones: each file is what it says, in both languages, without script or a foreign host."""

from __future__ import annotations

import plistlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from backend.lan_site.__main__ import parser, words
from backend.lan_site.authority import Certificates, ensure_certificates, fingerprint
from backend.lan_site.page import HEADERS, Answer, Place, common_name, make_answers

PLACE = Place("http://10.0.0.7:8008/", "https://10.0.0.7:8000/", "https://10.0.0.7:8001/")


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return ensure_certificates(tmp_path, "10.0.0.7", "vm", datetime(2026, 12, 1, tzinfo=UTC))


@pytest.fixture
def answers(made: Certificates, tmp_path: Path) -> dict[str, Answer]:
    return make_answers(tmp_path, PLACE)


def test_every_file_carries_the_same_authority_and_no_key(made: Certificates, answers: dict[str, Answer]) -> None:
    profile = plistlib.loads(answers["/anju-ca.mobileconfig"].body)
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    files = (
        x509.load_der_x509_certificate(answers["/anju-ca.crt"].body),
        x509.load_pem_x509_certificate(answers["/anju-ca.pem"].body),
        x509.load_der_x509_certificate(payload["PayloadContent"]),
    )
    assert set(files) == {made.authority}
    assert answers["/anju-ca.crt"].kind == "application/x-x509-ca-cert"
    assert answers["/anju-ca.mobileconfig"].kind == "application/x-apple-aspen-config"
    assert not [path for path, answer in answers.items() if b"PRIVATE KEY" in answer.body]


@pytest.mark.parametrize(("path", "until"), [("/", "2027年12月1日"), ("/en", "1 Dec 2027")])
def test_the_page_tells_fingerprint_risk_and_way_back(
    made: Certificates, answers: dict[str, Answer], path: str, until: str
) -> None:
    page = answers[path].body.decode()
    assert fingerprint(made.authority) in re.sub(r"</?span>", "", page)
    assert page.count(common_name(made.authority)) >= 3, "installing, trusting, removing"
    assert until in page and PLACE.app in page
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", page)
    for link in re.findall(r"(?:href|src)=\"([^\"]+)\"", page):
        assert link in answers or link in (PLACE.app, PLACE.console), link
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_the_terminal_shows_what_the_page_shows(made: Certificates, tmp_path: Path) -> None:
    options = parser().parse_args(["words", f"--folder={tmp_path}", "--address=10.0.0.7"])
    said = words(options, PLACE)
    assert fingerprint(made.authority) in re.sub(r":\s+", ":", said)
    assert PLACE.page in said and PLACE.app in said
    assert "remove" in said and common_name(made.authority) in said
