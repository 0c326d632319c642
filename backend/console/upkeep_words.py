"""Words of the pages on which the office's own upkeep stands: agreements, standards, discrepancies, the log's check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from backend.domain.discrepancies import DISCREPANCIES

UPKEEP_ACTIONS = {
    "standard_set": ("设定当地标准", "Local standard set"),
    "lock_imported": ("导入门锁", "Lock brought in"),
    "audit_checked": ("核对审计记录", "Audit log checked"),
    "leaf_lost": ("补记丢失的审计记录", "Lost audit record noted"),
    "deliveries_taken_up": ("重新推送", "Deliveries taken up again"),
}
UPKEEP_DECISIONS = {
    "fits": ("全部相符", "all fits"),
    "differs": ("有不符", "something differs"),
    "draft": ("草案", "draft"),
    "active": ("生效", "in force"),
}
AGREEMENT_STATES = {
    "draft": ("待批准", "Waits for approval"),
    "active": ("生效中", "In force"),
    "suspended": ("已暂停", "Suspended"),
    "ended": ("已终止", "Ended"),
}
AGREEMENT_LOOKS = {
    "draft": ("clock", "going"),
    "active": ("check", "good"),
    "suspended": ("alert", "bad"),
    "ended": ("dash", "none"),
}
AGREEMENT_REASONS = {
    "replaced": ("被新草案取代", "replaced by a newer draft"),
    "superseded": ("被新版本取代", "replaced by a newer version"),
    "term_over": ("期限已满", "its term is over"),
    "gone": ("对方不再接收（410）", "the office takes no more deliveries (410)"),
}
DIRECTIONS = {
    "out": ("我方告知对方", "We tell the office"),
    "in": ("对方通报我方", "The office tells us"),
    "both": ("双向", "Both ways"),
}
DELIVERIES = {"webhook": ("推送", "Delivered to the office"), "pull": ("对方来取", "Fetched by the office")}
OUTCOMES = {
    "open": ("待送", "Waiting"),
    "delivered": ("已送达", "Delivered"),
    "withheld": ("未送", "Withheld"),
    "parked": ("搁置", "Parked"),
}
CHECKED_BY = {
    "system": ("系统自动核对", "Checked by the system"),
    "operator": ("运维核对", "Checked by the operator"),
    "unknown": ("核对记录本身不见了", "The record of this check is gone itself"),
}
AGREEMENT_ACTS = {
    "suspend": lazy_gettext("暂停"),
    "resume": lazy_gettext("恢复"),
    "end": lazy_gettext("终止"),
}
UPKEEP_TABLES: Mapping[str, Any] = {
    "AGREEMENT_ACTS": AGREEMENT_ACTS,
    "AGREEMENT_LOOKS": AGREEMENT_LOOKS,
    "AGREEMENT_REASONS": AGREEMENT_REASONS,
    "AGREEMENT_STATES": AGREEMENT_STATES,
    "CHECKED_BY": CHECKED_BY,
    "DELIVERIES": DELIVERIES,
    "DIRECTIONS": DIRECTIONS,
    "DISCREPANCIES": DISCREPANCIES,
    "OUTCOMES": OUTCOMES,
}
