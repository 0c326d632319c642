"""Cases that more than one test begins with."""

from __future__ import annotations

from typing import Any

from backend.db import transaction
from backend.services.case_opening import open_case
from tests.services import stories


def open_review(world: Any) -> str:
    """An identity to be confirmed; answers the case's reference."""
    unit_id = stories.make_declared(world).unit_id
    with transaction() as session:
        case = open_case(world, session, kind="identity_review", area="330522003900", unit_id=unit_id, rule="FACE-6",
                         opened_by="tenant", evidence={"way": "face"})  # fmt: skip
        return case.reference
