"""Lists of tenancies on the command line: what an operator types and reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import cli, imports_cli
from backend.db import db
from backend.domain.tenancy_examples import lease_template
from backend.gateways.table_writing import write_csv
from tests.services import stories
from tests.services.test_lease_imports import HEAD, line
from tests.services.test_registration_imports import HEAD as PAPER_HEAD
from tests.services.test_registration_imports import OTHER
from tests.services.test_registration_imports import line as paper_line


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_operator_imports_leases_and_papers(
    core: Any,
    world: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The commands open an installation of their own; here it is the test's, whose clock and outside parts are fakes.
    monkeypatch.setattr(imports_cli, "core_app", lambda _settings: core)
    monkeypatch.setenv("ANJU_DEMO", "1")
    monkeypatch.setenv("ANJU_VAR", str(settings.var))
    monkeypatch.setenv("ANJU_DATABASE_URL", settings.database_url)
    stories.make_let_unit(world)

    def call(*words: str) -> tuple[int, str, str]:
        db.session.remove()
        status = cli.main(["import", *words])
        out, err = capsys.readouterr()
        return status, out, err

    leases, papers, example = tmp_path / "leases.csv", tmp_path / "papers.csv", tmp_path / "example.csv"
    leases.write_text(HEAD + line(), encoding="utf-8")
    papers.write_text(PAPER_HEAD + paper_line(OTHER, name="李二", room="102室"), encoding="utf-8")
    example.write_bytes(write_csv(lease_template("en")))
    landlord = ("--landlord", stories.LANDLORD_PHONE)
    assert "1 new (would be)" in call("leases", str(leases), *landlord, "--dry-run")[1]
    status, out, _ = call("leases", str(leases), *landlord, "--json")
    told = json.loads(out)
    assert (status, told["counts"]["new"], told["rows"][0]["outcome"]) == (0, 1, "new")
    assert stories.TENANT_NUMBER not in out
    assert "1 same" in call("leases", str(leases), *landlord)[1]
    status, out, _ = call("leases", str(example), *landlord)
    assert status == 1 and "row 2: failed - address: This is none of your units." in out
    assert "No landlord has signed in" in call("leases", str(leases), "--landlord", "19900009009")[2]
    assert "1 new" in call("registrations", str(papers))[1] and "1 same" in call("registrations", str(papers))[1]
    assert "no such officer" in call("registrations", str(papers), "--officer", "nobody")[2]
