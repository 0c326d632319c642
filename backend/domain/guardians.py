"""Guardians: who answers for a child (ZJ-7), and which children a guardian may enter."""

from __future__ import annotations

from datetime import date

from backend.domain.persons import age_band
from backend.domain.refusals import Refusal

RELATIONS = {
    "father": ("父亲", "father"),
    "mother": ("母亲", "mother"),
    "grandparent": ("祖父母或外祖父母", "grandparent"),
    "sibling": ("成年兄姐", "adult brother or sister"),
    "other": ("其他监护人", "another guardian"),
}


def decide_guardian(identity_state: str, birth_on: date, today: date) -> Refusal | None:
    """Whether a person may answer for a child: of age, and known: verified, or attested by somebody who met them."""
    if age_band(birth_on, today) != "adult":
        return Refusal("person.minor")
    return None if identity_state in ("verified", "attested") else Refusal("guardian.unidentified")


def find_child_faults(relation: str, birth_on: date | None, today: date) -> list[Refusal]:
    """All faults of a child's entry beside those of name and document: the relation, and an age of under 16."""
    faults = []
    if relation not in RELATIONS:
        faults.append(Refusal("input.not_one_of", "relation", allowed=tuple(RELATIONS)))
    if birth_on is not None and age_band(birth_on, today) == "adult":
        faults.append(Refusal("guardian.grown", "id_number"))
    return faults
