"""The operator's commands about the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from backend.cli import main
from backend.db import transaction
from backend.models.audit import AuditLeaf
from backend.services.audit import SYSTEM, write_leaf
from backend.services.audit_sealing import seal_leaves

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def test_what_is_lost_is_stood_in_for_and_named_by_the_check(
    core: Any, world: Any, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr("backend.cli._core", lambda: core)
    with transaction() as session:
        for number in range(3):
            write_leaf(world, session, SYSTEM, f"act_{number}")
    seal_leaves(world)
    assert main(["audit", "sign-on"]) == 0 and "no leaf is missing" in capsys.readouterr().out
    with transaction() as session:
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 2))
    assert main(["audit", "verify"]) == 1 and "leaf 2 is missing" in capsys.readouterr().out
    assert main(["audit", "sign-on"]) == 0 and "leaf 2 is lost" in capsys.readouterr().out
    assert main(["audit", "verify"]) == 1 and "leaf 2 is lost" in capsys.readouterr().out
