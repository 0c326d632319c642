"""What a landlord's board says: one state per unit, to-dos with their days and rules, who may be reminded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.domain.landlord_board import (
    LeaseFacts,
    UnitFacts,
    lease_todos,
    may_be_reminded,
    page_of_todos,
    sort_todos,
    unit_state,
    unit_todos,
)

TODAY = date(2026, 11, 23)
UNIT = UnitFacts("unit", "陈塘路1号 101室", "online")
QUIET = LeaseFacts(
    id="lease", alias="小周", starts_on=date(2026, 1, 1), ends_on=date(2027, 1, 1), invited=True, accepted=True,
    identity="verified", declared=True, living=True, differs=False, returned=False, owes_report=False,
    report_due_on=None,
    foreign_due_at=None, end_reported=False, tenant_due_on=date(2026, 1, 4),
)  # fmt: skip


@pytest.mark.parametrize(
    "presence, is_let, is_declared, state",
    [
        ("online", False, False, "vacant"),
        (None, True, False, "awaiting"),
        ("sleeping", True, True, "let"),
        ("offline", True, True, "lock_offline"),
        ("offline", False, False, "lock_offline"),
    ],
)
def test_a_unit_has_one_state(presence: str | None, is_let: bool, is_declared: bool, state: str) -> None:
    assert unit_state(presence, is_let, is_declared) == state


def test_a_lease_in_order_asks_for_nothing() -> None:
    assert lease_todos(UNIT, QUIET, TODAY) == unit_todos(UNIT, TODAY) == []


@pytest.mark.parametrize(
    "changes, kind, due_on, rule",
    [
        ({"returned": True}, "report_returned", None, "ZJ-9-1"),
        ({"owes_report": True, "report_due_on": TODAY}, "report_tenant", TODAY, "ZJ-9-1"),
        ({"foreign_due_at": datetime(2026, 11, 23, 20, tzinfo=UTC)}, "foreign_form", date(2026, 11, 24), "EEL-39"),
        ({"invited": False}, "invite", None, None),
        ({"identity": "review"}, "attest", None, "PSAL-68"),
        ({"differs": True}, "difference", None, "PSAL-68"),
        ({"ends_on": date(2026, 11, 20)}, "lease_over", date(2026, 11, 25), "ZJ-9-2"),
    ],
)
def test_each_thing_owed_has_its_day_and_rule(changes: dict[str, object], kind: str, due_on: date, rule: str) -> None:
    todos = lease_todos(UNIT, replace(QUIET, **changes), TODAY)  # type: ignore[arg-type]
    assert [(todo.kind, todo.due_on, todo.rule) for todo in todos] == [(kind, due_on, rule)]


@pytest.mark.parametrize(
    "days, kinds",
    [(15, []), (14, ["mandate_ends"]), (0, ["mandate_ends"]), (-1, ["mandate_over"])],
)
def test_a_mandate_is_a_to_do_before_its_end_and_all_that_is_left_afterwards(days: int, kinds: list[str]) -> None:
    unit = replace(UNIT, presence="online", mandate_ends_on=TODAY + timedelta(days=days))
    assert [todo.kind for todo in unit_todos(unit, TODAY)] == kinds
    assert [todo.kind for todo in unit_todos(replace(unit, presence=None), TODAY)] == (
        ["mandate_over"] if days < 0 else ["claim_lock", *kinds]
    )


def test_to_dos_with_a_day_come_first_and_are_paged_by_name() -> None:
    over = lease_todos(UNIT, replace(QUIET, ends_on=date(2026, 11, 20), invited=False), TODAY)
    todos = sort_todos([*unit_todos(replace(UNIT, presence=None), TODAY), *over])
    assert [todo.kind for todo in todos] == ["lease_over", "claim_lock", "invite"]
    first, more = page_of_todos(todos, None, 2)
    rest, end = page_of_todos(todos, more, 2)
    assert (first + rest, end) == (todos, None)
    assert page_of_todos(todos, "gone.1", 5)[0] == todos, "what has gone meanwhile starts anew"


@pytest.mark.parametrize(
    "changes, answer",
    [
        ({}, "declared"),
        ({"declared": False, "accepted": False}, "not_accepted"),
        ({"declared": False, "tenant_due_on": TODAY}, "not_due"),
        ({"declared": False, "tenant_due_on": None}, "not_due"),
        ({"declared": False}, "yes"),
    ],
)
def test_only_who_is_late_may_be_reminded(changes: dict[str, object], answer: str) -> None:
    assert may_be_reminded(replace(QUIET, **changes), TODAY) == answer  # type: ignore[arg-type]
