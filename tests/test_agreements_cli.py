"""The operator's commands about agreements: two supervisors approve with what only they have."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pyotp
import pytest

from backend.agreements_cli import add_agreement_commands
from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.clock import SystemClock
from backend.gateways.world import World
from backend.services.agreements import list_agreements
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


def make_supervisor(world: World, login: str) -> OfficerMade:
    return create_officer(
        world, login=login, display_name="所长", office="太湖派出所", role="supervisor", area=sharing.AREA,
        password=PASSWORD,
    )  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_agreement_from_the_file_to_its_end(
    core: Any, world: World, settings: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    for name, value in (("DEMO", "1"), ("VAR", str(settings.var)), ("DATABASE_URL", settings.database_url)):
        monkeypatch.setenv(f"ANJU_{name}", value)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    made = {login: make_supervisor(world, login) for login in ("first", "second")}
    file = tmp_path / "agreement.json"
    file.write_text(json.dumps(sharing.written(world)))
    assert run("add", str(file)) == 0
    (draft,) = list_agreements()

    def approve(login: str, code: str) -> int:
        return run("approve", draft.id, "--login", login, "--password-file", str(secret), "--code", code)

    def code(login: str) -> str:
        return pyotp.TOTP(made[login].totp_secret).at(SystemClock().now())

    with pytest.raises(Refused) as caught:
        approve("first", "000000" if code("first") != "000000" else "000001")
    assert caught.value.refusal.code == "officer.credentials"
    assert approve("first", code("first")) == 0
    assert approve("second", code("second")) == 0
    assert "In force." in capsys.readouterr().out
    for words in (("suspend", "--reason", "question"), ("resume",), ("show",), ("end", "--reason", "over")):
        assert run(words[0], draft.id, *words[1:]) == 0
    assert run("list") == 0
    said = capsys.readouterr().out
    assert "2 of 2 approvals" in said and "ended" in said and "(over)" in said
    broken = tmp_path / "broken.json"
    broken.write_text('{"subscriber": "a", "subscriber": "b"}')
    assert run("add", str(broken)) == 1
    assert len(list_agreements()) == 1


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
