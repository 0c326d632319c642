"""Households: who lives along with a tenant, who may declare for whom, and how that is said to the registry (ZJ-7)."""

from __future__ import annotations

from collections.abc import Collection

from backend.domain.refusals import Refusal

RELATIONS = {
    "spouse": ("配偶", "Spouse"),
    "child": ("子女", "Child"),
    "parent": ("父母", "Parent"),
    "grandparent": ("（外）祖父母", "Grandparent"),
    "grandchild": ("（外）孙子女", "Grandchild"),
    "sibling": ("兄弟姐妹", "Brother or sister"),
    "other_relative": ("其他亲属", "Another relative"),
    "other": ("其他（非亲属）", "Not a relative"),
}
KIN = tuple(relation for relation in RELATIONS if relation != "other")
REPRESENTATIONS = {
    "elderly": ("年老，不便自己申报", "Elderly"),
    "disabled": ("残疾，不便自己申报", "Disabled"),
    "ill": ("生病，不便自己申报", "Ill"),
}
DECLARED_BY = {
    "self": ("本人", "Themselves"),
    "guardian": ("监护人", "Their guardian"),
    "relative": ("亲属代为申报", "A relative"),
    "window": ("窗口", "The window"),
    "paper": ("纸质", "On paper"),
}
# What a guardian is to a child says what the child is to a tenant who is that guardian.
_CHILD_OF = {
    "father": "child",
    "mother": "child",
    "grandparent": "grandchild",
    "sibling": "sibling",
    "other": "other",
}
# Our words on the left, the registry's code table 'relation' on the right; words that stand in both are not listed.
_RELATION_CODES = {"other_relative": "relative"}
_GUARDIAN_CODES = {"other": "guardian"}


def decide_declarer(band: str, declared_by: str, has_guardian: bool) -> Refusal | None:
    """Whether `declared_by` may speak for somebody of this age band; under 16 the guardian does (ZJ-7).

    An officer's hand may write it down for a guardian who stands at the window: the guardian has to be known too.
    """
    if band == "adult":
        return Refusal("guardian.grown") if declared_by == "guardian" else None
    if declared_by in ("self", "relative"):
        return Refusal("person.minor")
    return None if has_guardian else Refusal("household.guardian")


def find_member_faults(relation: str, band: str, representation: str | None, told: bool) -> list[Refusal]:
    """All faults of an entry of somebody who lives along, beside those of name, document and dates.

    Who is under 16 is entered by the guardian; who is represented is so by a relative, for one of three reasons
    (ZJ-7); and whoever enters somebody tells them first (PIPL-17).
    """
    faults = []
    if relation not in RELATIONS:
        faults.append(Refusal("input.not_one_of", "relation", allowed=tuple(RELATIONS)))
    if band != "adult":
        faults.append(Refusal("household.child", "id_number"))
    faults += find_representation_faults(relation, representation)
    if not told:
        faults.append(Refusal("household.told", "told"))
    return faults


def find_representation_faults(relation: str, representation: str | None) -> list[Refusal]:
    """All faults of a representation: a known reason, and a relative."""
    if representation is None:
        return []
    if representation not in REPRESENTATIONS:
        return [Refusal("input.not_one_of", "representation", allowed=tuple(REPRESENTATIONS))]
    return [] if relation in KIN else [Refusal("household.kin", "relation", allowed=KIN)]


def is_declared_at_entry(relation: str) -> bool:
    """Whether entering somebody declares them: a relative does; who shares the home only declares by themselves."""
    return relation in KIN


def relation_of_child(guardian_relation: str) -> str:
    """What a child is to the tenant when the tenant is its guardian."""
    return _CHILD_OF.get(guardian_relation, "other")


def relation_code(relation: str) -> str:
    """A relation in the registry's words."""
    return _RELATION_CODES.get(relation, relation)


def guardian_code(relation: str) -> str:
    """A guardian's relation in the registry's words."""
    return _GUARDIAN_CODES.get(relation, relation)


def is_over_capacity(living: int, capacity: int) -> bool:
    """Whether more people live in a unit than it may hold (HR-7): shown, never a reason to refuse a registration."""
    return living > capacity


def choose_leaving(asked: Collection[str], members: Collection[str]) -> list[Refusal]:
    """Faults of the choice of who leaves along: each must be somebody the one who asks answers for."""
    return [Refusal("not_found", "leaving_too")] if set(asked) - set(members) else []
