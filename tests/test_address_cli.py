"""The address base on the command line: what an operator types and reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import address_cli, cli
from backend.db import db

SAMPLE = Path(cli.__file__).with_name("sample_address_base.csv")


@pytest.fixture
def run(core: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    # The commands open an installation of their own; here it is the test's, whose clock and outside parts are fakes.
    monkeypatch.setattr(address_cli, "core_app", lambda _settings: core)
    monkeypatch.setenv("ANJU_DEMO", "1")
    monkeypatch.setenv("ANJU_VAR", str(settings.var))
    monkeypatch.setenv("ANJU_DATABASE_URL", settings.database_url)

    def call(*words: str) -> tuple[int, str, str]:
        db.session.remove()
        status = cli.main(["address", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_operator_rehearses_imports_and_looks_at_the_base(run: Any, tmp_path: Path) -> None:
    status, out, _ = run("import", str(SAMPLE), "--dry-run")
    assert status == 0 and "48 of 48 rows; 48 new (would be); run done" in out
    assert run("versions")[1] == "no version yet: ./anju address import FILE\n"
    status, out, _ = run("import", str(SAMPLE), "--json")
    told = json.loads(out)
    assert (status, told["state"], told["counts"]["new"], len(told["rows"])) == (0, "done", 48, 48)
    assert "48 same" in run("import", str(SAMPLE))[1]
    assert json.loads(run("versions", "--json")[1])[0]["dwellings"] == 15
    listed = [json.loads(row) for row in run("list", "--json")[1].splitlines()]
    assert len(listed) == 15 and sum(row["units"] for row in listed) == 48

    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text("区划代码,乡镇街道,村,道路,门牌号\n330522003900,太湖街道,陈塘村,,1\n", encoding="utf-8")
    status, out, _ = run("import", str(spoilt))
    assert status == 1 and "row 2: failed - road: This is required." in out
    assert run("import", str(tmp_path / "none.csv"))[0] == 1
    (tmp_path / "x.csv").write_text("a,b\n", encoding="utf-8")
    status, _, err = run("import", str(tmp_path / "x.csv"))
    assert status == 1 and "No row of column names was found." in err and "地址编码" in err
