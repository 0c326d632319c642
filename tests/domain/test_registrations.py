"""Registrations: derived state, scope, deadlines, faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from backend.domain.registrations import (
    STATE_NAMES,
    Facts,
    decide_scope,
    decide_tenant_action,
    describe,
    find_check_out_faults,
    find_declaration_faults,
    landlord_due_on,
    permit_from,
    tenant_due_on,
)

TODAY = date(2026, 11, 23)
FRESH = Facts("invited", "due", "in_scope", "living", "unsent", False)
DECLARED = replace(FRESH, tenant_leg="declared")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (FRESH, "invited"),
        (replace(FRESH, tenant_leg="draft"), "draft"),
        (DECLARED, "declared"),
        (replace(DECLARED, registry_state="sent"), "sent"),
        (replace(DECLARED, registry_state="accepted"), "registered"),
        (replace(DECLARED, registry_state="rejected"), "rejected"),
        (replace(DECLARED, scope="exempt"), "not_sent"),
        (replace(DECLARED, scope="out_of_scope"), "not_sent"),
        (replace(DECLARED, scope="foreign"), "foreign_path"),
        (replace(DECLARED, disputed=True), "disputed"),
        (replace(DECLARED, disputed=True, residence="moved_out"), "moved_out"),
        (replace(DECLARED, residence="voided"), "voided"),
    ],
)
def test_the_state_a_person_sees_is_derived_from_the_facts(facts: Facts, state: str) -> None:
    assert describe(facts) == state
    assert state in STATE_NAMES


@pytest.mark.parametrize(
    ("id_type", "hukou", "exemption", "scope"),
    [
        ("111", "341822", None, "in_scope"),
        ("111", "330522", None, "out_of_scope"),
        ("111", "330523", None, "in_scope"),
        ("414", None, None, "foreign"),
        ("553", None, None, "foreign"),
        ("111", "341822", "hospital", "exempt"),
        ("516", None, None, "in_scope"),
    ],
)
def test_scope_follows_document_and_household_registration(
    id_type: str, hukou: str | None, exemption: str | None, scope: str
) -> None:
    assert decide_scope(id_type, hukou, "330522003900", exemption) == scope


def test_deadlines_follow_their_rules() -> None:
    assert landlord_due_on(date(2026, 11, 23)) == date(2026, 11, 26)
    assert tenant_due_on(date(2026, 11, 23)) == date(2026, 11, 26)
    assert permit_from(date(2026, 8, 31)) == date(2027, 2, 28)


def test_an_impossible_action_says_what_is_possible() -> None:
    refusal = decide_tenant_action("declared", "living", "declare")
    assert refusal is not None
    assert (refusal.code, refusal.allowed) == ("transition", ("amend", "check_out", "request_void"))
    gone = decide_tenant_action("declared", "moved_out", "check_out")
    assert gone is not None
    assert gone.allowed == ()


def test_all_faults_of_a_declaration_are_named_at_once() -> None:
    faults = find_declaration_faults(date(2026, 11, 24), date(2026, 11, 1), "000", TODAY)
    assert [fault.field for fault in faults] == ["move_in_on", "planned_end_on", "reason"]
    assert find_declaration_faults(TODAY, None, None, TODAY) == []


def test_a_check_out_lies_between_move_in_and_today() -> None:
    move_in = date(2026, 11, 1)
    assert find_check_out_faults(TODAY, move_in, "lease_end", TODAY) == []
    codes = [f.code for f in find_check_out_faults(date(2026, 10, 31), move_in, "evicted", TODAY)]
    assert codes == ["checkout.date", "checkout.reason"]
