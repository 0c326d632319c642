"""Each kind of discrepancy rests on a rule, has a kind of case, and a ground on which the dwelling may be visited."""

from __future__ import annotations

import pytest

from backend.domain.cases import KINDS
from backend.domain.discrepancies import DISCREPANCIES
from backend.domain.local_standards import STANDARDS
from backend.domain.rules import RULES
from backend.domain.spaces import SpaceStandard
from backend.domain.visits import GROUNDS


@pytest.mark.parametrize("kind", DISCREPANCIES)
def test_a_discrepancy_stands_on_a_rule_a_case_and_a_ground(kind: str) -> None:
    row = DISCREPANCIES[kind]
    assert row.rule in RULES and row.case_kind in KINDS and row.ground in GROUNDS


def test_the_standards_that_can_be_set_are_those_a_space_is_judged_by() -> None:
    assert set(STANDARDS) == set(SpaceStandard().__dict__)
