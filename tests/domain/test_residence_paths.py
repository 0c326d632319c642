"""Every action in every state is allowed or refused with what is possible; exempt, foreign and late ones by the day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.registrations import (
    STATE_NAMES,
    TENANT_ACTION_NAMES,
    Facts,
    decide_scope,
    decide_tenant_action,
    describe,
    stage_of,
)
from backend.domain.residence_paths import (
    EXEMPTIONS,
    FIELD_SOURCES,
    change_due_on,
    decide_foreign_action,
    exempt_until,
    find_change_faults,
    find_done_faults,
    find_exemption_faults,
    foreign_due_at,
    foreign_form_number,
    is_late,
)

TODAY = date(2026, 11, 23)
ALLOWED = {  # written out once more, by hand: what the table says must be what was meant
    "invited": {"accept", "declare", "declare_exempt", "withdraw"},
    "draft": {"declare", "declare_exempt", "withdraw"},
    "exempt": {"declare", "check_out"},
    "declared": {"amend", "check_out", "request_void"},
}


@pytest.mark.parametrize("action", sorted(TENANT_ACTION_NAMES))
@pytest.mark.parametrize("residence", ["living", "moved_out", "voided"])
@pytest.mark.parametrize("exemption", [None, "hospital"])
@pytest.mark.parametrize("leg", ["invited", "draft", "declared"])
def test_every_action_is_allowed_or_refused_with_what_is_possible(
    leg: str, exemption: str | None, residence: str, action: str
) -> None:
    possible = ALLOWED[stage_of(leg, exemption)] if residence == "living" else set()
    refusal = decide_tenant_action(leg, residence, action, exemption)
    if action in possible:
        assert refusal is None
        return
    assert refusal is not None and refusal.code == "transition"
    assert set(refusal.allowed) == possible
    assert all(TENANT_ACTION_NAMES[name][1] in refusal.sentence("en") for name in possible)


@pytest.mark.parametrize("action", ["hand_out", "mark_done"])
@pytest.mark.parametrize("handed_out", [False, True])
@pytest.mark.parametrize("residence", ["living", "moved_out", "voided"])
@pytest.mark.parametrize("leg", ["invited", "draft", "declared"])
@pytest.mark.parametrize("scope", ["in_scope", "exempt", "out_of_scope", "foreign"])
def test_the_form_is_for_declared_foreigners_and_done_only_once_handed_out(
    scope: str, leg: str, residence: str, handed_out: bool, action: str
) -> None:
    on_path = (scope, leg, residence) == ("foreign", "declared", "living")
    refusal = decide_foreign_action(scope, leg, residence, handed_out, action, STATE_NAMES["declared"])
    assert (refusal is None) == (on_path and (handed_out or action == "hand_out"))
    if refusal is not None:
        assert refusal.allowed == (("hand_out",) if on_path else ())


def test_every_combination_of_facts_has_one_state_and_only_the_ends_hide_the_rest() -> None:
    legs, scopes = ("invited", "draft", "declared"), ("in_scope", "exempt", "out_of_scope", "foreign")
    registry = ("unsent", "sent", "accepted", "rejected")
    for leg, scope, residence, sent, disputed in product(
        legs, scopes, ("living", "moved_out", "voided"), registry, (False, True)
    ):
        state = describe(Facts(leg, "due", scope, residence, sent, disputed))
        assert state in STATE_NAMES
        assert (state in ("moved_out", "voided")) == (residence != "living")
        if residence == "living" and not disputed and scope != "in_scope":
            assert state not in ("sent", "registered", "rejected")  # nothing of it ever went there


def test_a_foreign_document_is_never_in_scope_whatever_else_is_said() -> None:
    for code, kind in DOCUMENT_TYPES.items():
        for hukou, exemption in product((None, "330522", "341822"), (None, *EXEMPTIONS)):
            assert (decide_scope(code, hukou, "330522003900", exemption) == "foreign") == kind.foreign


@pytest.mark.parametrize(
    ("exemption", "move_in_on", "asked", "until", "codes"),
    [
        ("near_relatives", TODAY, None, date(2026, 12, 23), []),
        ("near_relatives", TODAY, date(2026, 12, 23), date(2026, 12, 23), []),
        ("near_relatives", TODAY, date(2026, 12, 24), date(2026, 12, 24), ["exempt.days"]),
        ("near_relatives", date(2026, 10, 24), None, date(2026, 11, 23), []),
        ("near_relatives", date(2026, 10, 23), None, date(2026, 11, 22), ["exempt.over"]),
        ("hospital", TODAY, None, None, []),
        ("hospital", TODAY, date(2027, 6, 1), date(2027, 6, 1), []),
        ("school", date(2026, 11, 24), None, None, ["registration.move_in"]),
        ("barracks", TODAY, None, None, ["input.not_one_of"]),
    ],
)
def test_an_exemption_ends_by_its_ground(
    exemption: str, move_in_on: date, asked: date | None, until: date | None, codes: list[str]
) -> None:
    assert exempt_until(exemption, move_in_on, asked) == until
    assert [f.code for f in find_exemption_faults(exemption, move_in_on, until, TODAY)] == codes


def test_a_change_has_ten_calendar_days_counted_in_china() -> None:
    assert change_due_on(date(2024, 2, 20)) == date(2024, 3, 1)  # over a 29 February
    last_moment = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert not is_late(date(2026, 11, 13), last_moment)
    assert is_late(date(2026, 11, 13), datetime(2026, 11, 23, 16, 0, tzinfo=UTC))


def test_a_change_lies_between_move_in_and_today_and_a_correction_has_no_day() -> None:
    assert find_change_faults(None, TODAY, TODAY) == []
    assert find_change_faults(TODAY, TODAY, TODAY) == []
    assert [f.code for f in find_change_faults(date(2026, 11, 24), TODAY, TODAY)] == ["input.future_date"]
    assert [f.code for f in find_change_faults(date(2026, 11, 22), TODAY, TODAY)] == ["registration.changed_on"]


def test_a_foreigners_24_hours_run_on_the_clock_from_the_end_of_the_day_of_moving_in() -> None:
    assert foreign_due_at(date(2026, 9, 30)) == datetime(2026, 10, 1, 15, 59, 59, 999999, tzinfo=UTC)
    assert [f.code for f in find_done_faults(date(2026, 11, 24), TODAY, TODAY)] == ["input.future_date"]
    assert [f.code for f in find_done_faults(date(2026, 11, 22), TODAY, TODAY)] == ["foreign.done_on"]
    at = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)  # the 23rd in China
    assert foreign_form_number("0193a001-0000-7000-8000-00000000abcd", at) == "F-20261123-000000ABCD"


def test_every_source_the_database_knows_has_words() -> None:
    from backend.models.registrations import FIELD_SOURCES as STORED

    assert tuple(FIELD_SOURCES) == STORED
