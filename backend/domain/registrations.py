"""Registrations: facts side by side, each with its own small machine; the visible state is derived, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from backend.domain.documents import is_foreign
from backend.domain.duties import DUTIES
from backend.domain.refusals import Refusal, illegal_transition

REASONS_OF_STAY = {
    "204": ("务工", "Work"),
    "206": ("经商", "Business"),
    "207": ("学习", "Study"),
    "131": ("投靠亲友", "Family"),
    "999": ("其他", "Other"),
}
PLACE_TYPES = {
    "30": ("租赁房屋", "Rented dwelling"),
    "23": ("居民家中", "Host's home"),
    "42": ("单位宿舍", "Employer's dormitory"),
    "71": ("工地", "Site"),
    "90": ("其他", "Other"),
}
# Why there is no lease behind a residence that somebody declares in person, and the kind of place it is then.
BASES = {
    "lease_unrecorded": ("有租约，房东还没有录入", "There is a lease; the landlord has not recorded it"),
    "oral": ("口头约定，没有书面租约", "Agreed by word of mouth, no lease in writing"),
    "hosted": ("借住在住户家中，不付租金", "A guest of whoever lives there, without rent"),
}
LET = "30"  # of PLACE_TYPES
PLACE_OF_BASIS = {"lease_unrecorded": LET, "oral": LET, "hosted": "23"}
CHECK_OUT_REASONS = {
    "lease_end": ("租约结束", "Lease ended"),
    "moved_within_county": ("搬到本县其他地方", "Moved within the county"),
    "left_county": ("离开本县", "Left the county"),
    "became_local": ("户口迁入本地", "Became a local resident"),
    "deceased": ("去世", "Deceased"),
    "entered_exempt_place": ("入住可不登记的场所", "Entered an exempt place"),
}
STATE_NAMES = {
    "invited": ("待租客接受", "waiting for the tenant"),
    "draft": ("填写中", "being filled in"),
    "declared": ("已申报", "declared"),
    "sent": ("已送达，待登记机关确认", "delivered, waiting for the registry"),
    "registered": ("已登记", "registered"),
    "rejected": ("登记机关退回，需补正", "returned by the registry, to be mended"),
    "not_sent": ("依法不报送", "not sent, by law"),
    "foreign_path": ("外国人住宿登记另行办理", "foreigners' path"),
    "disputed": ("有争议，由工作人员核实", "disputed, a person decides"),
    "moved_out": ("已离开", "moved out"),
    "voided": ("已作废", "voided"),
}
TENANT_ACTION_NAMES = {
    "accept": ("接受邀请", "accept the invitation"),
    "declare": ("申报", "declare"),
    "declare_exempt": ("说明依法可不申报", "state that one is exempt"),
    "amend": ("更正", "correct"),
    "check_out": ("退房", "check out"),
    "withdraw": ("撤回", "withdraw"),
    "request_void": ("申请作废", "ask to have it voided"),
}
TENANT_ACTIONS = {
    # declare: after a draft expired; only who holds the key comes this far
    "invited": ("accept", "declare", "declare_exempt", "withdraw"),
    "draft": ("declare", "declare_exempt", "withdraw"),
    "exempt": ("declare", "check_out"),  # settled without a declaration (ZJ-12), also once the exemption is over
    "declared": ("amend", "check_out", "request_void"),
}


@dataclass(frozen=True)
class Facts:
    """The stored facts of one registration, as the derivation needs them."""

    tenant_leg: str
    landlord_leg: str
    scope: str
    residence: str
    registry_state: str
    disputed: bool


def describe(facts: Facts) -> str:
    """The state a person sees (a key of STATE_NAMES)."""
    if facts.residence in ("moved_out", "voided"):
        return facts.residence
    if facts.disputed:
        return "disputed"
    if facts.scope == "exempt":
        return "not_sent"
    if facts.tenant_leg != "declared":
        return facts.tenant_leg
    if facts.scope == "foreign":
        return "foreign_path"
    if facts.scope == "out_of_scope":
        return "not_sent"
    return {"unsent": "declared", "sent": "sent", "accepted": "registered", "rejected": "rejected"}[
        facts.registry_state
    ]


def decide_scope(id_type: str, hukou_division: str | None, dwelling_division: str, exemption: str | None) -> str:
    """Which path the residence takes: 'foreign' (EEL-39), 'out_of_scope' (ZJ-2), 'exempt' (ZJ-12) or 'in_scope'."""
    if is_foreign(id_type):
        return "foreign"
    if hukou_division is not None and hukou_division[:6] == dwelling_division[:6]:
        return "out_of_scope"
    return "exempt" if exemption is not None else "in_scope"


def landlord_due_on(lease_starts_on: date) -> date:
    """Third working day after the lease's start (ZJ-9-1)."""
    return DUTIES["report"].count.last_day(lease_starts_on)


def landlord_end_due_on(ended_on: date) -> date:
    """Third working day after the lease's end (ZJ-9-2)."""
    return DUTIES["report_end"].count.last_day(ended_on)


def tenant_due_on(move_in_on: date) -> date:
    """Third day after moving in (HK-15)."""
    return DUTIES["declare"].count.last_day(move_in_on)


def permit_from(declared_on: date) -> date:
    """First day on which the residence permit can be asked for: six calendar months on (ZJ-16)."""
    return DUTIES["permit"].count.last_day(declared_on)


def stage_of(tenant_leg: str, exemption: str | None) -> str:
    """The row of TENANT_ACTIONS: the tenant's leg, or 'exempt' while an exemption stands in its place."""
    return "exempt" if exemption is not None and tenant_leg != "declared" else tenant_leg


def is_held(residence: str, lease_state: str | None) -> bool:
    """Whether there is still somebody to say "left" or "still here": a void ends neither the lease nor the key."""
    return residence == "living" or (residence == "voided" and lease_state == "active")


def decide_tenant_action(
    tenant_leg: str, residence: str, action: str, exemption: str | None = None, *, lease_state: str | None = None
) -> Refusal | None:
    """Whether the tenant may `action` now; a refusal lists what is possible.

    Under a lease that still runs, whoever had their registration voided may say that they have left.
    """
    allowed = TENANT_ACTIONS[stage_of(tenant_leg, exemption)] if residence == "living" else ()
    if residence == "voided" and is_held(residence, lease_state):
        allowed = ("check_out",)
    if action in allowed:
        return None
    state = tenant_leg if residence == "living" else residence
    return illegal_transition(STATE_NAMES[state], {name: TENANT_ACTION_NAMES[name] for name in allowed})


def find_declaration_faults(
    move_in_on: date, planned_end_on: date | None, reason: str | None, today: date
) -> list[Refusal]:
    """All faults of a declaration's answers."""
    faults = []
    if not today - timedelta(days=3653) <= move_in_on <= today:
        faults.append(Refusal("registration.move_in", "move_in_on"))
    if planned_end_on is not None and planned_end_on < move_in_on:
        faults.append(Refusal("input.date_order", "planned_end_on"))
    if reason is not None and reason not in REASONS_OF_STAY:
        faults.append(Refusal("registration.reason", "reason", allowed=tuple(REASONS_OF_STAY)))
    return faults


def decide_basis(basis: str) -> Refusal | None:
    """Whether this can be why a residence has no lease behind it."""
    return None if basis in BASES else Refusal("registration.basis", "basis", allowed=tuple(BASES))


def is_let(basis: str) -> bool:
    """Whether a landlord owes a report of somebody who lives there on this basis (ZJ-9-1): of a tenant, of no guest."""
    return PLACE_OF_BASIS[basis] == LET


def find_check_out_faults(moved_out_on: date, move_in_on: date, reason: str, today: date) -> list[Refusal]:
    """All faults of a check-out's answers."""
    faults = []
    if not move_in_on <= moved_out_on <= today:
        faults.append(Refusal("checkout.date", "moved_out_on"))
    if reason not in CHECK_OUT_REASONS:
        faults.append(Refusal("checkout.reason", "reason", allowed=tuple(CHECK_OUT_REASONS)))
    return faults
