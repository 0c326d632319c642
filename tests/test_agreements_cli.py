"""The operator's commands about agreements: two supervisors approve with what only they have."""

from __future__ import annotations

import argparse
import json
import os
import pty
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from backend.agreements_cli import add_agreement_commands
from backend.db import reading, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import SystemClock
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer, OfficerSession
from backend.secrets_cli import SecretMissing
from backend.services.agreements import add_agreement, list_agreements
from backend.services.office_names import english_names
from backend.services.officers import OfficerMade, create_officer
from tests.services import sharing

PASSWORD = "a password of supervisors"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_agreement_commands(parser.add_subparsers())
    chosen = parser.parse_args(("agreement", *words))
    status: int = chosen.run(chosen)
    return status


def make_supervisor(world: World, login: str, area: str = sharing.AREA) -> OfficerMade:
    return create_officer(
        world, login=login, display_name="所长", office="太湖派出所", role="supervisor", area=area, password=PASSWORD,
    )  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_agreement_from_the_file_to_its_end(
    core: Any, world: World, settings: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    for name, value in (("DEMO", "1"), ("VAR", str(settings.var)), ("DATABASE_URL", settings.database_url)):
        monkeypatch.setenv(f"ANJU_{name}", value)
    made = {login: make_supervisor(world, login) for login in ("first", "second")}
    file = tmp_path / "agreement.json"
    file.write_text(json.dumps(sharing.written(world)))
    assert run("add", str(file)) == 0
    (draft,) = list_agreements()

    def approve(login: str, code: str) -> int:
        monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n{code}\n"))
        return run("approve", draft.id, "--login", login, "--stdin")

    def code(login: str) -> str:
        return pyotp.TOTP(made[login].totp_secret).at(SystemClock().now())

    with pytest.raises(Refused) as caught:
        approve("first", "000000" if code("first") != "000000" else "000001")
    assert caught.value.refusal.code == "officer.credentials"
    assert approve("first", code("first")) == 0
    assert approve("second", code("second")) == 0
    said = capsys.readouterr().out
    assert "In force." in said and PASSWORD not in said and draft.office_zh in said, "who approves sees what"
    assert office_sessions() == [], "nobody stays signed in"
    for words in (("suspend", "--reason", "question"), ("resume",), ("show",), ("end", "--reason", "over")):
        assert run(words[0], draft.id, *words[1:]) == 0
    assert run("list") == 0
    said = capsys.readouterr().out
    assert "2 of 2 approvals" in said and "ended" in said and "(over)" in said
    broken = tmp_path / "broken.json"
    broken.write_text('{"subscriber": "a", "subscriber": "b"}')
    assert run("add", str(broken)) == 1
    assert len(list_agreements()) == 1


def office_sessions() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(OfficerSession.id).where(OfficerSession.ended_at.is_(None))))


@pytest.fixture
def draft(core: Any, world: World, settings: Any, monkeypatch: Any) -> str:
    """A draft of an agreement of this street, in an installation that the commands find."""
    for name, value in (("DEMO", "1"), ("VAR", str(settings.var)), ("DATABASE_URL", settings.database_url)):
        monkeypatch.setenv(f"ANJU_{name}", value)
    return add_agreement(world, written=sharing.written(world)).id


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_shell_asks_for_the_same_four_eyes_as_the_console(draft: str, world: World, monkeypatch: Any) -> None:
    chief, outside = make_supervisor(world, "first"), make_supervisor(world, "outside", area="330522001")

    def approve(made: OfficerMade, login: str, agreement_id: str = draft, password: str = PASSWORD) -> str:
        code = pyotp.TOTP(made.totp_secret).at(SystemClock().now())
        with transaction() as session:  # as if half a minute had passed: a code counts once
            session.get_one(Officer, made.id).totp_last_step = 0
        monkeypatch.setattr("sys.stdin", StringIO(f"{password}\n{code}\n"))
        try:
            run("approve", agreement_id, "--login", login, "--stdin")
        except Refused as refused:
            return refused.refusal.code
        return "approved"

    assert approve(chief, "first", password="another password") == "officer.credentials"
    assert approve(chief, "first") == "approved"
    assert approve(chief, "first") == "agreement.four_eyes"
    assert approve(outside, "outside") == "area.foreign"
    with reading() as session:
        tried = session.scalars(select(AuditLeaf.decision).where(AuditLeaf.actor_id == outside.id))
        assert "area.foreign" in tried.all(), "a try outside the own area is written down"
    assert office_sessions() == []
    assert approve(chief, "first", "no-such-id") == "not_found"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_secrets_are_no_arguments_and_are_not_asked_where_nobody_is(draft: str, monkeypatch: Any) -> None:
    for words in (("--password", "x"), ("--password-file", "x"), ("--code", "123456")):
        with pytest.raises(SystemExit):
            run("approve", draft, "--login", "first", *words)
    monkeypatch.setattr("sys.stdin", StringIO("a password\n"))
    with pytest.raises(SecretMissing, match="no terminal"):
        run("approve", draft, "--login", "first")
    with pytest.raises(SecretMissing, match="no present one-time code was given; nothing was changed"):
        run("approve", draft, "--login", "first", "--stdin")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_supervisor_at_a_terminal_is_asked_and_nothing_is_shown(draft: str, world: World) -> None:
    made = make_supervisor(world, "first")
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "backend.cli", "agreement", "approve", draft, "--login", "first"]
        os.execv(sys.executable, command)
    said = read_until(terminal, b"Password: ")
    os.write(terminal, PASSWORD.encode() + b"\n")
    said += read_until(terminal, b"one-time code: ")
    code = pyotp.TOTP(made.totp_secret).at(SystemClock().now())
    os.write(terminal, code.encode() + b"\n")
    said += read_until(terminal, b"approve it too.")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0  # before the terminal is hung up
    os.close(terminal)
    assert PASSWORD.encode() not in said and code.encode() not in said


def read_until(terminal: int, words: bytes) -> bytes:
    """What was written to the terminal, up to and with `words`; what ended before is an error of its own."""
    said = b""
    while words not in said:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            pytest.fail(said.decode(errors="replace"))
    return said


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_office_is_named_in_english(core: Any, world: World, settings: Any, monkeypatch: Any, capsys: Any) -> None:
    for name, value in (("DEMO", "1"), ("VAR", str(settings.var)), ("DATABASE_URL", settings.database_url)):
        monkeypatch.setenv(f"ANJU_{name}", value)
    parser = argparse.ArgumentParser()
    add_agreement_commands(parser.add_subparsers())

    def name_it(zh: str, en: str) -> int:
        chosen = parser.parse_args(("office", "name", zh, en))
        status: int = chosen.run(chosen)
        return status

    assert name_it("太湖派出所", "Taihu police station") == 0
    with reading() as session:
        assert english_names(session)["太湖派出所"] == "Taihu police station"
    assert name_it("太湖派出所", " ") == 2
    assert "1–120 characters" in capsys.readouterr().err
