"""Words of the pages about visits: grounds, outcomes and states in both languages, and the pages' picture."""

from __future__ import annotations

from backend.domain import visits

OUTCOMES = {code: (row.zh, row.en) for code, row in visits.OUTCOMES.items()}
GROUNDS = {code: (row.zh, row.en) for code, row in visits.GROUNDS.items()}
AUDIT_ACTIONS = {"visit_planned": ("安排走访", "Visit planned"), "visit_noted": ("记下走访结果", "Visit noted")}
ICON = "M12 21c-4-4.5-7-8-7-11.5a7 7 0 0 1 14 0C19 13 16 16.5 12 21ZM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
TABLES = {
    "VISIT_GROUNDS": visits.GROUNDS,
    "VISIT_RULES": visits.GROUND_OF_RULE,
    "VISIT_OUTCOMES": visits.OUTCOMES,
    "VISIT_STATES": visits.STATE_NAMES,
}
