"""Words of the pages about a landlord's right to let: its kinds, how it was seen, and what the log calls that."""

from __future__ import annotations

from backend.domain.spaces import SEEN_BY_HAND, SEEN_NAMES

RIGHTS = {
    "owner": ("产权人", "Owner"),
    "co_owner": ("共有人", "Co-owner"),
    "sublet_agreed": ("经同意转租", "Sublet with consent"),
    "mandate": ("受托管理", "By mandate"),
}
AUDIT_ACTIONS = {
    "right_seen": ("核看出租权", "Right to let seen"),
    "right_unseen": ("撤销核看出租权", "Right to let: entry taken back"),
}
DECISIONS = {**SEEN_NAMES, "entered_in_error": ("录入有误", "Entered in error")}
TABLES = {"RIGHTS": RIGHTS, "SEEN": SEEN_NAMES, "SEEN_BY_HAND": SEEN_BY_HAND}
