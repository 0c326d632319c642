"""Words of the pages about visits: grounds, outcomes and states in both languages."""

from __future__ import annotations

from backend.domain import visits

OUTCOMES = {code: (row.zh, row.en) for code, row in visits.OUTCOMES.items()}
GROUNDS = {code: (row.zh, row.en) for code, row in visits.GROUNDS.items()}
WITHDRAWN = visits.WITHDRAWN
AUDIT_ACTIONS = {"visit_planned": ("安排走访", "Visit planned"), "visit_noted": ("记下走访结果", "Visit noted")}
TABLES = {
    "VISIT_GROUNDS": visits.GROUNDS,
    "VISIT_RULES": visits.GROUND_OF_RULE,
    "VISIT_OUTCOMES": visits.OUTCOMES,
    "VISIT_STATES": visits.STATE_NAMES,
    "VISIT_WITHDRAWN": WITHDRAWN,
}
