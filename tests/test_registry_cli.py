"""The operator's commands about the registry and its receipts."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.printing.fonts import find_font
from backend.printing.paper import Imprint
from backend.printing.receipts import ReceiptPaper, print_receipt
from backend.registry_cli import add_registry_commands
from backend.services.registry_upkeep import note_contact
from backend.wire.jwk import keys_to_jwks, make_private_key, thumbprint
from backend.wire.receipts import qr_text, sign_receipt
from tests.services import stories
from tests.wire.test_registry_receipts import KEY, KEYS, KID, RECEIPT

TOP = Path(__file__).resolve().parents[1]
SAMPLE = Path(__file__).parent / "wire" / "samples" / "registry_receipt.json"
TOKEN = sign_receipt(RECEIPT, KEY, KID)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_registry_commands(parser.add_subparsers())
    chosen = parser.parse_args(words)
    status: int = chosen.run(chosen)
    return status


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(keys_to_jwks(KEYS)))
    return str(path)


class Shell:
    """The operator's commands in a process of their own, on this test's database."""

    def __init__(self, settings: Any) -> None:
        mine = {"ANJU_DEMO": "1", "ANJU_VAR": str(settings.var), "ANJU_DATABASE_URL": settings.database_url}
        self._environment = {**os.environ, **mine}

    def __call__(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "backend.cli", *words]
        done = subprocess.run(
            command, cwd=TOP, env=self._environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, done.stdout


@pytest.fixture
def shell(settings: Any) -> Shell:
    return Shell(settings)


def test_a_genuine_receipt_is_said_to_be_one(keys_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("receipt", "verify", qr_text(TOKEN), "--keys", keys_file) == 0
    out = capsys.readouterr().out
    assert "Genuine receipt" in out and RECEIPT.number in out and RECEIPT.record_id in out


def test_a_saved_page_with_a_receipt_in_it_is_enough(keys_file: str, tmp_path: Path) -> None:
    saved = tmp_path / "receipt.html"
    saved.write_text(f"<html><p>登记凭证</p><img alt='{qr_text(TOKEN)}'></html>")
    assert run("receipt", "verify", str(saved), "--keys", keys_file) == 0


def test_the_pdf_itself_is_enough(keys_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at, link = RECEIPT.accepted_at, f"https://anju.example/r/#{qr_text(TOKEN)}"
    paper = ReceiptPaper("declaration", RECEIPT.number, link, "样本路1号", at, at)
    saved = tmp_path / "receipt.pdf"
    saved.write_bytes(print_receipt(paper, Imprint(find_font(), "zh", at)))
    assert run("receipt", "verify", str(saved), "--keys", keys_file) == 0
    assert RECEIPT.number in capsys.readouterr().out


def test_the_pinned_sample_verifies_with_its_own_keys(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(json.loads(SAMPLE.read_text())["jwks"]))
    assert run("receipt", "verify", str(SAMPLE), "--keys", str(keys)) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TOKEN[:-4] + "AAAA", "changed"),
        (sign_receipt(RECEIPT, other := make_private_key(), thumbprint(other.public_key())), "published"),
        ("R-330522003-20261123-000123-5", "no receipt"),
        ("", "no receipt"),
        ("x" * 5000, "no receipt"),
    ],
)
def test_anything_else_is_refused_with_the_reason(
    keys_file: str, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    assert run("receipt", "verify", text, "--keys", keys_file) == 1
    shown = capsys.readouterr()
    assert words in shown.err and shown.out == ""


def test_without_keys_nothing_is_called_genuine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("receipt", "verify", TOKEN, "--keys", str(tmp_path / "none.json")) == 1
    assert "--keys" in capsys.readouterr().err


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_status_names_backlog_contact_and_parked_rows(core: Any, world: Any, shell: Shell) -> None:
    story = stories.make_declared(world)
    note_contact(world, "connect")
    with transaction() as session:
        first = select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id).limit(1)
        row = session.scalars(first).one()
        row.parked_at, row.last_error = world.clock.now(), "TENANT: 3002"
    db.session.remove()
    status, text = shell("registry", "status")
    assert status == 1  # the registry is not reached
    assert "NOT reached: connect" in text and f"{story.registration_id}  UPSERT TENANT  TENANT: 3002" in text
    shown = json.loads(shell("registry", "status", "--json")[1])
    assert (shown["backlog"], shown["failure"], len(shown["parked"])) == (1, "connect", 1)
    number = str(shown["parked"][0]["row"])
    assert [shell("registry", "retry", number)[0] for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_came_back_is_named_by_its_row_and_sent_again(core: Any, world: Any, shell: Shell) -> None:
    story = stories.make_declared(world, report_now=False)
    with transaction() as session:
        row = session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry")).one()
        row.done_at = world.clock.now()
        error = {"code": "2102", "pointer": "/payload/place_type", "owner": "OPERATOR"}
        session.get_one(Registration, story.registration_id).registry_state = "rejected"
        session.add(
            RegistryAttempt(outbox_id=row.id, registration_id=story.registration_id, op="UPSERT", leg="TENANT",
                            version=3, payload_hash="x", idempotency_key="x", outcome="rejected", reason="2102",
                            errors=[error], sent_at=world.clock.now())
        )  # fmt: skip
        number = str(row.id)
    db.session.remove()
    named = f"{number}  {story.registration_id}  UPSERT TENANT  OPERATOR: 2102/payload/place_type"
    assert named in shell("registry", "status")[1]
    (returned,) = json.loads(shell("registry", "status", "--json")[1])["returned"]
    assert (str(returned["row"]), returned["owner"], returned["codes"]) == (number, "OPERATOR", ["2102"])
    assert [shell("registry", "retry", number)[0] for _ in range(2)] == [0, 1]
    assert "0 parked rows and 0 returned legs" in shell("registry", "retry", "--all")[1]
    assert named not in shell("registry", "status")[1]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_one_registration_is_shown_with_its_attempts(core: Any, world: Any, shell: Shell) -> None:
    story = stories.make_declared(world)
    db.session.remove()
    status, text = shell("registry", "show", story.registration_id)
    assert status == 0 and "unsent" in text
    assert shell("registry", "show", "x")[0] == 1
